"""Kafka's errors as those of the tree: an outage to wait for, or a refusal to do something about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaError

from immersiverse.auth.events.errors import BrokerUnavailable, OperationRefused

if TYPE_CHECKING:
    from immersiverse.auth.events.errors import AuthEventsError

_MOVING: Final = frozenset(
    {
        *("COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR"),
        *("LEADER_NOT_AVAILABLE", "NOT_LEADER_FOR_PARTITION", "REPLICA_NOT_AVAILABLE"),
        *("FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH", "OFFSET_NOT_AVAILABLE"),
    }
)
_OUTAGES: Final = _MOVING | {
    *("_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE", "_TIMED_OUT", "_TIMED_OUT_QUEUE", "_MSG_TIMED_OUT"),
    *("REQUEST_TIMED_OUT", "BROKER_NOT_AVAILABLE", "NETWORK_EXCEPTION"),
}
_CREDENTIALS: Final = frozenset(
    {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL}  # noqa: SLF001 - librdkafka's names
)


def is_about_credentials(error: KafkaError) -> bool:
    """Whether the brokers do not believe who this is, or their certificates are not believed here."""
    return error.code() in _CREDENTIALS


def is_moving(error: KafkaError) -> bool:
    """Whether a broker answered that another one is, or is just becoming, the one to ask."""
    return error.name() in _MOVING


def refusal_or_outage(purpose: str, error: KafkaError, servers: str) -> AuthEventsError:
    """The error to raise for one of Kafka's.

    Args:
        purpose: what was to be done, as the end of "cannot ...".
        error: Kafka's word.
        servers: who was asked first.
    """
    reason = error.str().replace("Broker: ", "").replace("Local: ", "")
    if error.name() in _MOVING:
        hint = "another broker takes over, so try again"
        return BrokerUnavailable(f"cannot {purpose}: Kafka is not ready: {reason} ({error.name()}); {hint}")
    if error.name() in _OUTAGES:
        hint = "is that where it is, and is it up?"
        return BrokerUnavailable(
            f"cannot {purpose}: Kafka does not answer at {servers}: {reason} ({error.name()}); {hint}"
        )
    return OperationRefused(error.name(), f"cannot {purpose}: {reason}")
