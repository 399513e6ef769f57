"""The cluster, as operations reach it: an admin client, readers without a group, plain words for failures."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.dead_letters import BATCH_BYTES
from immersiverse.auth.events.kafka.producer.callbacks import CallbackThread
from immersiverse.auth.events.kafka.producer.core import ProducerCore
from immersiverse.auth.events.operations.failures import is_about_credentials, is_moving, refusal_or_outage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from immersiverse.auth.events.errors import AuthEventsError

T = TypeVar("T")

_log = logging.getLogger(__name__)
_READER: Mapping[str, Any] = {
    "group.id": "auth-events-reader",  # librdkafka wants a name; nothing joins or commits under it
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,
    # Enough to be busy; with more, only memory grows. Headers, most of a dead letter, count in neither.
    "queued.min.messages": 5_000,
    "queued.max.messages.kbytes": 16_384,
    "max.poll.interval.ms": 86_400_000,  # whoever reads slowly on purpose is not dead
}
_PRODUCER: Mapping[str, Any] = {
    "delivery.timeout.ms": 30_000,
    "message.max.bytes": 1_000_000_000,  # how large a message may be is the topic's word
    "batch.size": BATCH_BYTES,  # a topic refuses a batch as a whole
}
_PAUSE = 0.2  # seconds until a broker that is becoming the one to ask is asked again
_STATIC_MEMBER = "group.instance.id"  # a reader under a member's name would put that member out of its group
_NEVER: Mapping[str, Any] = {"enable.auto.commit": False, "enable.auto.offset.store": False}


class Cluster:
    """A cluster that operations ask and change.

    Args:
        config: librdkafka's settings, at least ``bootstrap.servers``.
        timeout: how long to wait for an answer, in seconds.

    Attributes:
        settings: those settings, for other clients of the same cluster.
        timeout: how long to wait for an answer, in seconds.

    Raises:
        ConfigurationError: if a setting is missing or wrong.
    """

    def __init__(self, config: Mapping[str, Any], *, timeout: float = 10.0) -> None:
        if not config.get("bootstrap.servers"):
            raise ConfigurationError("bootstrap.servers", "is required")
        self.settings = dict(config)
        self.timeout = timeout
        self._credentials_refused: KafkaError | None = None
        self._admin: AdminClient = self._client(AdminClient, self.settings)

    def ask(self, purpose: str, call: Callable[[AdminClient], T]) -> T:
        """What the admin client answers; where a broker says that another is to be asked, it asks again.

        Args:
            purpose: what for, as the end of "cannot ...".
            call: asks, and waits for the answer; twice has the same effect as once.

        Raises:
            BrokerUnavailable: if nobody answers.
            OperationRefused: if the answer is no.
        """
        until = time.monotonic() + self.timeout
        while True:
            try:
                return call(self._admin)
            except KafkaException as error:
                if not is_moving(error.args[0]) or time.monotonic() > until:
                    raise self.failure(purpose, error.args[0]) from error
            time.sleep(_PAUSE)
            with suppress(KafkaException):  # the next call tells
                self._admin.list_topics(timeout=self.timeout)  # the client learns who leads what now

    def reader(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        on_error: Callable[[KafkaError], None] | None = None,
    ) -> Consumer:
        """A consumer that commits nothing; to assign partitions to, it needs no group.

        Args:
            settings: more settings, over those of the cluster.
            on_error: is told what librdkafka says in passing.

        Raises:
            ConfigurationError: if a setting is wrong.
        """

        def hear(error: KafkaError) -> None:
            self._hear(error)
            if on_error is not None:
                on_error(error)

        own = {key: value for key, value in self.settings.items() if key != _STATIC_MEMBER}
        return self._client(Consumer, {**_READER, **own, **(settings or {}), **_NEVER, "error_cb": hear})

    def producer(self) -> ProducerCore:
        """A producer that loses and reorders nothing, and gives up after half a minute. Close it.

        Raises:
            ConfigurationError: if a setting is wrong or breaks a guarantee.
        """
        settings = {"error_cb": self._hear, **_PRODUCER, **self.settings}
        return ProducerCore(settings, CallbackThread(), role="redrive")

    def failure(self, purpose: str, error: KafkaError) -> AuthEventsError:
        """The error of the tree for one of Kafka's; refused credentials look like silence."""
        self._admin.poll(0)  # lets the client say what it heard in the background
        servers = str(self.settings["bootstrap.servers"])
        return refusal_or_outage(purpose, self._credentials_refused or error, servers)

    def _client(self, kind: Callable[..., T], settings: Mapping[str, Any]) -> T:
        try:
            return kind({"error_cb": self._hear, **settings}, logger=_log)
        except KafkaException as error:
            raise ConfigurationError("a Kafka setting", error.args[0].str()) from error

    def _hear(self, error: KafkaError) -> None:
        if is_about_credentials(error):
            self._credentials_refused = error
