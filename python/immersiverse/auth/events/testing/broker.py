"""A Kafka broker in this process: librdkafka's mock cluster, for clients that use librdkafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from confluent_kafka import KafkaException, Producer

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import BrokerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

PARTITIONS: Final = 4
"""The partitions of every topic. librdkafka's mock cluster has this number, and clients cannot change it."""

CONTRACT_TOPICS: Final = (*catalog.TOPICS, catalog.SINGLE_TOPIC, catalog.DEAD_LETTER_TOPIC)
"""The topics of the contract, and the dead letter topic."""

_QUIET = {"log_level": 2, "log.connection.close": False}
_TIMEOUT = 10.0  # seconds; it takes less than one


class EmbeddedBroker:
    """A Kafka cluster in this process, for Confluent's clients and ours; a context manager.

    It has topics, committed offsets and consumer groups, which are joined at once with
    ``group.protocol=consumer`` and after three seconds with ``classic``. It has no access control,
    configuration, deletion of topics, look-up of offsets by time, list of groups, or real transactions.
    When it stops, everything in it is lost.

    Args:
        brokers: the number of brokers.
        topics: topics that are created at the start. Others are created when they are first used.

    Raises:
        ValueError: there is to be no broker.
    """

    def __init__(self, brokers: int = 1, topics: Iterable[str] = CONTRACT_TOPICS) -> None:
        if brokers < 1:
            raise ValueError(f"a cluster has at least one broker, not {brokers}")
        self._brokers = brokers
        self._topics = tuple(topics)
        self._cluster: Any = None  # this client owns the cluster
        self._bootstrap = ""

    @property
    def bootstrap(self) -> str:
        """For clients, as ``bootstrap.servers``. It is known once started."""
        return self._bootstrap

    def start(self) -> Self:
        """Start, if it is not running. The threads are librdkafka's.

        Raises:
            BrokerUnavailable: it does not start.
        """
        if self._cluster is None:
            cluster = Producer({"test.mock.num.brokers": self._brokers, **_QUIET})
            try:
                found = cluster.list_topics(timeout=_TIMEOUT).brokers
                for topic in self._topics:
                    cluster.list_topics(topic, timeout=_TIMEOUT)  # this creates it
            except KafkaException as error:
                raise BrokerUnavailable(f"the embedded broker does not answer: {error}") from error
            self._bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in found.values())
            self._cluster = cluster
        return self

    def stop(self) -> None:
        """Stop, if it is running."""
        self._cluster = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
