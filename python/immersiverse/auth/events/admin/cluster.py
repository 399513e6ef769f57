"""One Kafka cluster: admin requests, readers, a producer, and the error to raise for each Kafka error."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from immersiverse.auth.events.errors import BrokerUnavailable, ConfigurationError, OperationRefused
from immersiverse.auth.events.kafka.dead_letters import BATCH_BYTES
from immersiverse.auth.events.kafka.producer.callbacks import CallbackThread
from immersiverse.auth.events.kafka.producer.core import ProducerCore
from immersiverse.auth.events.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from immersiverse.auth.events.errors import AuthEventsError

T = TypeVar("T")

_log = get_logger(__name__)
_READER: Final[Mapping[str, Any]] = {
    "group.id": "auth-events-reader",  # librdkafka requires one; the reader neither joins nor commits
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,
    # Enough to keep it busy; more only costs memory. Headers, most of a dead letter, count in neither limit.
    "queued.min.messages": 5_000,
    "queued.max.messages.kbytes": 16_384,
    "max.poll.interval.ms": 86_400_000,  # never evict a reader that is slow on purpose
}
_READ_ONLY: Final[Mapping[str, Any]] = {"enable.auto.commit": False, "enable.auto.offset.store": False}
_STATIC_MEMBER: Final = "group.instance.id"  # a reader with a member's id would fence that member
_PRODUCER: Final[Mapping[str, Any]] = {
    "delivery.timeout.ms": 30_000,
    "message.max.bytes": 1_000_000_000,  # leave the limit to the topic
    "batch.size": BATCH_BYTES,  # a topic refuses a batch as a whole
}
_RETRY_SECONDS: Final = 0.2

_FAILOVER: Final = frozenset(
    {
        *("COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR"),
        *("LEADER_NOT_AVAILABLE", "NOT_LEADER_FOR_PARTITION", "REPLICA_NOT_AVAILABLE"),
        *("FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH", "OFFSET_NOT_AVAILABLE"),
    }
)
_OUTAGE: Final = frozenset(
    {
        *("_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE", "_TIMED_OUT", "_TIMED_OUT_QUEUE", "_MSG_TIMED_OUT"),
        *("REQUEST_TIMED_OUT", "BROKER_NOT_AVAILABLE", "NETWORK_EXCEPTION"),
    }
)
_CREDENTIALS: Final = frozenset({"_AUTHENTICATION", "SASL_AUTHENTICATION_FAILED", "_SSL"})


class Cluster:
    """The cluster that admin functions read and change.

    Attributes:
        settings: librdkafka settings, at least ``bootstrap.servers``.
        timeout: how long to wait for a response, in seconds.

    Raises:
        ConfigurationError: if a setting is missing or invalid.
    """

    def __init__(self, config: Mapping[str, Any], *, timeout: float = 10.0) -> None:
        if not config.get("bootstrap.servers"):
            raise ConfigurationError("bootstrap.servers", "is required")
        self.settings = dict(config)
        self.timeout = timeout
        self._credentials_error: KafkaError | None = None
        self._admin: AdminClient = self._client(AdminClient, self.settings)

    def ask(self, purpose: str, request: Callable[[AdminClient], T]) -> T:
        """Run an admin request; retry it while leaders or coordinators move to other brokers.

        Retries end `timeout` seconds after the first such response, so the time that the first attempt
        takes (a request may start a process) is not counted.

        Args:
            purpose: completes "cannot ..." in errors.
            request: sends the request and waits for the response; must be safe to repeat.
        """
        deadline: float | None = None
        while True:
            try:
                return request(self._admin)
            except KafkaException as error:
                now = time.monotonic()
                deadline = now + self.timeout if deadline is None else deadline
                if not is_failover(error.args[0]) or now > deadline:
                    raise self.error_for(purpose, error.args[0]) from error
            time.sleep(_RETRY_SECONDS)
            with suppress(KafkaException):  # if it fails, so does the next request, which reports it
                self._admin.list_topics(timeout=self.timeout)  # refreshes leaders and coordinators

    def reader(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        on_error: Callable[[KafkaError], None] | None = None,
    ) -> Consumer:
        """A consumer that commits nothing; assign partitions to it, no group is needed.

        The settings override those of the cluster; background errors of librdkafka are given to ``on_error``.

        Raises:
            ConfigurationError: if a setting is invalid.
        """

        def on_background_error(error: KafkaError) -> None:
            self._note_credentials(error)
            if on_error is not None:
                on_error(error)

        own = {key: value for key, value in self.settings.items() if key != _STATIC_MEMBER}
        merged = {**_READER, **own, **(settings or {}), **_READ_ONLY, "error_cb": on_background_error}
        return self._client(Consumer, merged)

    def producer(self) -> ProducerCore:
        """A producer with this package's delivery guarantees, and a delivery timeout of 30 seconds. Close it.

        Raises:
            ConfigurationError: if a setting is invalid or breaks a guarantee.
        """
        settings = {"error_cb": self._note_credentials, **_PRODUCER, **self.settings}
        return ProducerCore(settings, CallbackThread(), role="redrive")

    def error_for(self, purpose: str, error: KafkaError) -> AuthEventsError:
        """The error to raise for a Kafka error: "cannot" and the purpose.

        Refused credentials show up as a timeout; then the refusal is reported.
        """
        self._admin.poll(0)  # runs error_cb for errors that happened in the background
        return _error_for(purpose, self._credentials_error or error, str(self.settings["bootstrap.servers"]))

    def _client(self, kind: Callable[..., T], settings: Mapping[str, Any]) -> T:
        try:
            return kind({"error_cb": self._note_credentials, **settings}, logger=_log)
        except KafkaException as error:
            raise ConfigurationError("a Kafka setting", error.args[0].str()) from error

    def _note_credentials(self, error: KafkaError) -> None:
        if error.name() in _CREDENTIALS:
            self._credentials_error = error


def is_failover(error: KafkaError) -> bool:
    """Whether a leader or coordinator is moving to another broker, so that a retry helps."""
    return error.name() in _FAILOVER


def _error_for(purpose: str, error: KafkaError, servers: str) -> AuthEventsError:
    name, reason = error.name(), error.str().replace("Broker: ", "").replace("Local: ", "")
    if name in _FAILOVER:
        hint = "a leader or coordinator is moving to another broker; try again"
        return BrokerUnavailable(f"cannot {purpose}: Kafka is not ready: {reason} ({name}); {hint}")
    if name in _OUTAGE:
        where, hint = (
            f"Kafka does not answer at {servers}",
            "check the address and that the broker is running",
        )
        return BrokerUnavailable(f"cannot {purpose}: {where}: {reason} ({name}); {hint}")
    return OperationRefused(name, f"cannot {purpose}: {reason}")
