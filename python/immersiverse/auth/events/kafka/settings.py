"""librdkafka's settings with this contract's defaults, and a refusal of what would break its guarantees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from confluent_kafka import Consumer, KafkaException

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.refusals import refused_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

PRODUCER_DEFAULTS: Final[Mapping[str, Any]] = {
    "acks": "all",
    "enable.idempotence": True,
    "max.in.flight.requests.per.connection": 1,
    "compression.type": "lz4",
    "partitioner": "murmur2_random",  # where Java clients put the same key
    "linger.ms": 5,
    "queue.buffering.max.messages": 100_000,
    "delivery.timeout.ms": 120_000,
}

CONSUMER_DEFAULTS: Final[Mapping[str, Any]] = {
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "max.poll.interval.ms": 300_000,
    "queued.max.messages.kbytes": 16_384,  # what is fetched again after a pause
    "fetch.queue.backoff.ms": 50,  # at its default of a second whoever is quick waits most of the time
}

_ONE_IN_FLIGHT = "more let librdkafka acknowledge events that no log holds (confluent-kafka-go#921)"
_Guarantees = dict[str, tuple[tuple[str, ...], str]]

_PRODUCER_GUARANTEES: Final[_Guarantees] = {
    "acks": (("all", "-1"), "an event may be lost with a broker unless all replicas acknowledge it"),
    "request.required.acks": (("all", "-1"), "an event may be lost unless all replicas acknowledge it"),
    "enable.idempotence": (("true",), "retries may reorder and repeat a user's events without it"),
    "max.in.flight.requests.per.connection": (("1",), _ONE_IN_FLIGHT),
    "max.in.flight": (("1",), _ONE_IN_FLIGHT),
    "partitioner": (("murmur2_random", "murmur2"), "a user's events would part from those of Java producers"),
}

_CONSUMER_GUARANTEES: Final[_Guarantees] = {
    "enable.auto.offset.store": (("false",), "an event would count as done before its handler has run"),
}

_CONNECTION_PREFIXES = ("bootstrap.", "security.", "sasl.", "ssl.", "client.", "broker.", "socket.")
_CONNECTION_KEYS = (
    "metadata.broker.list",
    "oauth_cb",
    "enable.ssl.certificate.verification",
    "debug",
    "log_level",
)


def producer_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a producer that loses and reorders nothing.

    Raises:
        ConfigurationError: if a setting breaks that, or ``bootstrap.servers`` is missing.
    """
    _require(given, "bootstrap.servers")
    _refuse(given, _PRODUCER_GUARANTEES)
    return {**PRODUCER_DEFAULTS, **given}


def consumer_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a consumer that only counts as done what is done.

    The classic group protocol gets the cooperative-sticky assignor; with ``group.protocol=consumer``
    (KIP-848) the brokers assign.

    Raises:
        ConfigurationError: if librdkafka knows no such setting or value, it breaks the guarantee, or
            one of ``bootstrap.servers`` and ``group.id`` is missing.
    """
    _require(given, "bootstrap.servers")
    _require(given, "group.id")
    _refuse(given, _CONSUMER_GUARANTEES)
    if "on_commit" in given:
        raise ConfigurationError("on_commit", "is the subscriber's own: a hook is told of commits")
    settings = {**CONSUMER_DEFAULTS, **given}
    if str(settings.get("group.protocol", "classic")).lower() == "classic":
        settings.setdefault("partition.assignment.strategy", "cooperative-sticky")
    _try(settings)
    return settings


def connection_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a client's settings that says how to reach and convince the brokers, for another client."""
    return {
        key: value
        for key, value in given.items()
        if key.startswith(_CONNECTION_PREFIXES) or key in _CONNECTION_KEYS
    }


def require_positive(**settings: float) -> None:
    """Less would be a client that never begins, or never rests.

    Raises:
        ConfigurationError: if one of them is not more than 0.
    """
    for name, value in settings.items():
        if value <= 0:
            raise ConfigurationError(name, f"must be more than 0, not {value}")


def require_one_of(name: str, word: object, words: object) -> None:
    """Refuse a word that is none of a Literal's.

    Raises:
        ConfigurationError: if it is not.
    """
    if word not in get_args(words):
        raise ConfigurationError(name, f"is one of {', '.join(get_args(words))}, not {word!r}")


def _try(settings: Mapping[str, Any]) -> None:
    """Ask librdkafka, which can say what it knows in no other way; without addresses it stays silent."""
    addresses = ("bootstrap.servers", "metadata.broker.list")
    try:
        Consumer({key: value for key, value in settings.items() if key not in addresses}).close()
    except (KafkaException, TypeError, ValueError) as error:
        raise refused_setting("consumer", error) from error


def _require(given: Mapping[str, Any], key: str) -> None:
    if not given.get(key):
        raise ConfigurationError(key, "is required")


def _refuse(given: Mapping[str, Any], guarantees: _Guarantees) -> None:
    for key, (allowed, reason) in guarantees.items():
        if key in given and str(given[key]).lower() not in allowed:
            raise ConfigurationError(key, f"must be {' or '.join(allowed)}, not {given[key]}: {reason}")
