"""Settings of librdkafka's clients: defaults, guarantees, and errors that name a setting."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

from confluent_kafka import Consumer, KafkaException

from immersiverse.auth.events.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

PRODUCER_DEFAULTS: Final[Mapping[str, Any]] = {
    "acks": "all",
    "enable.idempotence": True,
    "max.in.flight.requests.per.connection": 1,
    "compression.type": "lz4",  # quick; kafkajs needs a codec for it, and reads gzip without one
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
    "fetch.queue.backoff.ms": 50,  # with librdkafka's default, 1 s, a quick consumer mostly waits
}

_ONE_IN_FLIGHT = "more let librdkafka acknowledge events that no log holds (confluent-kafka-go#921)"
_Guarantees = dict[str, tuple[tuple[str, ...], str]]

_PRODUCER_GUARANTEES: Final[_Guarantees] = {
    "acks": (("all", "-1"), "an event may be lost with a broker unless all replicas acknowledge it"),
    "request.required.acks": (("all", "-1"), "an event may be lost unless all replicas acknowledge it"),
    "enable.idempotence": (("true",), "without it retries may reorder and repeat a user's events"),
    "max.in.flight.requests.per.connection": (("1",), _ONE_IN_FLIGHT),
    "max.in.flight": (("1",), _ONE_IN_FLIGHT),
    "partitioner": (
        ("murmur2_random", "murmur2"),
        "others put a user's events on another partition than Java producers do",
    ),
}

_CONSUMER_GUARANTEES: Final[_Guarantees] = {
    "enable.auto.offset.store": (("false",), "an event would count as done before its handler has run"),
}

_CLASSIC_ONLY: Final = frozenset(
    {"partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms", "group.protocol.type"}
)

_CONNECTION_PREFIXES = ("bootstrap.", "security.", "sasl.", "ssl.", "client.", "broker.", "socket.")
_CONNECTION_KEYS = (
    "metadata.broker.list",
    "oauth_cb",
    "enable.ssl.certificate.verification",
    "debug",
    "log_level",
)

_STATISTICS_INTERVAL: Final = "statistics.interval.ms"
_STATISTICS_EVERY: Final = 5_000  # milliseconds
_STATISTICS_CALLBACK: Final = "stats_cb"

# How messages name a setting: property "acks", value for "acks", `session.timeout.ms`, error_cb, or bare.
_SETTING_NAMES: Final = (
    r"(?:property|for) \"([\w.]+)\"",
    r"`([\w.]+)`",
    r"\b([a-z]+_cb)\b",
    r"\b([a-z]+(?:\.[a-z]+)+)\b",
)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how soon something that failed is tried again: exponential backoff with jitter.

    Attributes:
        attempts: how often in all, the first included; after that a message is dead-lettered.
        first: the delay after the first failure, in seconds.
        factor: by what each further delay grows.
        longest: the greatest delay, in seconds.
        jitter: the share of a delay that chance may take off it, so that failures do not return in step.

    Raises:
        ConfigurationError: if a number is out of range.
    """

    attempts: int = 5
    first: float = 0.2
    factor: float = 3.0
    longest: float = 60.0
    jitter: float = 0.5

    def __post_init__(self) -> None:
        lowest = {"attempts": 1, "first": 0, "factor": 1, "longest": 0, "jitter": 0}
        for name, least in lowest.items():
            if not getattr(self, name) >= least:  # nor not-a-number
                raise ConfigurationError(
                    f"retry.{name}", f"must be {least} or more, not {getattr(self, name)}"
                )
        if self.jitter > 1:
            raise ConfigurationError("retry.jitter", f"must be 1 or less, not {self.jitter}")

    def exhausted(self, failures: int) -> bool:
        """Whether this many failures are enough."""
        return failures >= self.attempts

    def delay(self, failures: int) -> float:
        """Seconds until the next attempt, after this many failures, from 1."""
        exponent = min(failures - 1, 64)  # beyond it every sensible delay is at its longest
        full = min(self.first * self.factor**exponent, self.longest)
        return full * (1 - self.jitter * random.random())  # noqa: S311 - spreads load, keeps no secret


def producer_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a producer that loses and reorders nothing.

    Raises:
        ConfigurationError: if a setting breaks that, or ``bootstrap.servers`` is missing.
    """
    _require(given, "bootstrap.servers")
    _require_guarantees(given, _PRODUCER_GUARANTEES)
    return {**PRODUCER_DEFAULTS, **given}


def consumer_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a consumer that counts nothing as done before it is done.

    The classic group protocol gets the cooperative-sticky assignor; with ``group.protocol=consumer``
    (KIP-848) the brokers assign.

    Raises:
        ConfigurationError: if librdkafka does not know a setting or value, it breaks the guarantee, or
            one of ``bootstrap.servers`` and ``group.id`` is missing.
    """
    _require(given, "bootstrap.servers")
    _require(given, "group.id")
    _require_guarantees(given, _CONSUMER_GUARANTEES)
    if "on_commit" in given:
        raise ConfigurationError("on_commit", "is reserved; observe commits with a `Committed` hook")
    suggested = getattr(given["bootstrap.servers"], "consumer_defaults", {})  # see testing.broker
    if not _CLASSIC_ONLY.isdisjoint(given):
        suggested = {}
    settings = {**CONSUMER_DEFAULTS, **suggested, **given}
    if str(settings.get("group.protocol", "classic")).lower() == "classic":
        settings.setdefault("partition.assignment.strategy", "cooperative-sticky")
    _check_consumer(settings)
    return settings


def connection_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a client's settings that says how to reach the brokers and log in, for another client.

    Raises:
        ConfigurationError: if they are not a mapping.
    """
    _require_mapping(given)
    return {
        key: value
        for key, value in given.items()
        if str(key).startswith(_CONNECTION_PREFIXES) or key in _CONNECTION_KEYS
    }


def with_statistics(
    settings: Mapping[str, Any], on_values: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Settings of a client that reports its statistics, every five seconds unless they say otherwise.

    Args:
        settings: librdkafka's; with an interval of 0 there are no statistics. A ``stats_cb`` among them is
            still called.
        on_values: is called with each parsed document, in the thread that polls.
    """
    return with_raw_statistics(settings, lambda text: on_values(json.loads(text)))


def with_raw_statistics(settings: Mapping[str, Any], on_text: Callable[[str], None]) -> dict[str, Any]:
    """Like `with_statistics`, without parsing: the document of a consumer of many partitions is large."""
    users: Callable[[str], object] | None = settings.get(_STATISTICS_CALLBACK)

    def callback(text: str) -> None:
        on_text(text)
        if users is not None:
            users(text)

    return {_STATISTICS_INTERVAL: _STATISTICS_EVERY, **settings, _STATISTICS_CALLBACK: callback}


def config_error_from(client: str, error: Exception) -> ConfigurationError:
    """What a client's constructor raised, as an error with the setting's name as its key.

    Args:
        client: ``producer`` or ``consumer``: the key if the message names no setting.
        error: what it raised.
    """
    reason = error.args[0].str() if isinstance(error, KafkaException) else str(error)
    names = (re.search(pattern, reason) for pattern in _SETTING_NAMES)
    named = next((found[1] for found in names if found), client)
    return ConfigurationError(named, reason)


def require_positive(**settings: float) -> None:
    """Refuse 0 and less, with which a client would never start or never pause.

    Raises:
        ConfigurationError: if one of them is not more than 0.
    """
    for name, value in settings.items():
        if value <= 0:
            raise ConfigurationError(name, f"must be more than 0, not {value}")


def require_one_of(name: str, word: object, words: object) -> None:
    """Refuse a word that is not one of a Literal's.

    Raises:
        ConfigurationError: if it is not.
    """
    if word not in get_args(words):
        raise ConfigurationError(name, f"is one of {', '.join(get_args(words))}, not {word!r}")


def _check_consumer(settings: Mapping[str, Any]) -> None:
    """Let librdkafka check settings now, by a consumer without addresses: it connects to nothing.

    The subscriber's own consumer is made in ``run()``, which is too late for an error in a setting.
    """
    addresses = ("bootstrap.servers", "metadata.broker.list")
    try:
        Consumer({key: value for key, value in settings.items() if key not in addresses}).close()
    except (KafkaException, TypeError, ValueError) as error:
        raise config_error_from("consumer", error) from error


def require_kind(kind: type | tuple[type, ...], **arguments: object) -> None:
    """Refuse arguments that are not of a kind, or None: what was made with them would fail at its first use.

    Raises:
        ConfigurationError: if one of them is of another.
    """
    for name, value in arguments.items():
        if value is not None and not isinstance(value, kind):
            raise ConfigurationError(name, f"cannot be a {type(value).__name__}")


def require_method(method: str, **arguments: object) -> None:
    """Refuse arguments without a method, or None.

    Raises:
        ConfigurationError: if one of them does not have it.
    """
    for name, value in arguments.items():
        if value is not None and not callable(getattr(value, method, None)):
            raise ConfigurationError(name, f"cannot be a {type(value).__name__}: it has no {method}()")


def _require_mapping(given: object) -> None:
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            "config", f"is a mapping of librdkafka's settings, not a {type(given).__name__}"
        )


def _require(given: Mapping[str, Any], key: str) -> None:
    _require_mapping(given)
    if not given.get(key):
        raise ConfigurationError(key, "is required")


def _require_guarantees(given: Mapping[str, Any], guarantees: _Guarantees) -> None:
    for key, (allowed, reason) in guarantees.items():
        if key in given and str(given[key]).lower() not in allowed:
            raise ConfigurationError(key, f"must be {' or '.join(allowed)}, not {given[key]}: {reason}")
