"""A Kafka broker in this process: librdkafka's mock cluster, for clients that use librdkafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from confluent_kafka import KafkaException, Producer

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import BrokerUnavailable, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

PARTITIONS: Final = 4
"""The partitions of every topic. librdkafka's mock cluster has this number, and clients cannot change it."""

CONTRACT_TOPICS: Final = (*catalog.TOPICS, catalog.SINGLE_TOPIC, catalog.DEAD_LETTER_TOPIC)
"""The topics of the contract, and the dead letter topic."""

_QUIET = {"log_level": 2, "log.connection.close": False}
_TIMEOUT = 10.0  # seconds; it takes less than one


class EmbeddedAddress(str):
    """An embedded broker's ``bootstrap.servers``, with what a `Subscriber` there has by default.

    The group protocol is ``consumer``, with which a group is joined at once. With ``classic`` librdkafka's
    mock cluster lets the first member wait for three seconds, and every later one for the session's timeout.
    """

    __slots__ = ()
    consumer_defaults: ClassVar[dict[str, str]] = {"group.protocol": "consumer"}


class EmbeddedBroker:
    """A Kafka cluster in this process, for Confluent's clients and ours; a context manager.

    It has topics, committed offsets and consumer groups: give ``group.protocol=consumer`` to consumers that
    are not a `Subscriber` in this process, see `EmbeddedAddress`. It has no access control, configuration,
    deletion of topics, look-up of offsets by time, list of groups, or real transactions. When it stops,
    everything in it is lost.

    Args:
        brokers: the number of brokers.
        topics: topics that are created at the start. Others are created when they are first used.

    Raises:
        ConfigurationError: there is to be no broker.
    """

    def __init__(self, brokers: int = 1, topics: Iterable[str] = CONTRACT_TOPICS) -> None:
        if brokers < 1:
            raise ConfigurationError("brokers", f"a cluster has at least one, not {brokers}")
        self._brokers = brokers
        self._topics = tuple(topics)
        self._cluster: Any = None  # this client owns the cluster
        self._bootstrap = EmbeddedAddress()

    @property
    def bootstrap(self) -> EmbeddedAddress:
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
            addresses = (f"{broker.host}:{broker.port}" for broker in found.values())
            self._bootstrap = EmbeddedAddress(",".join(addresses))
            self._cluster = cluster
        return self

    def stop(self) -> None:
        """Stop, if it is running."""
        self._cluster = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
