"""A Kafka broker in the process: librdkafka's mock cluster, spoken to by any client of librdkafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from confluent_kafka import KafkaException, Producer

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import BrokerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

PARTITIONS: Final = 4
"""How many partitions every topic has: the mock cluster's own number, which no client can change."""

CONTRACT_TOPICS: Final = (*catalog.TOPICS, catalog.SINGLE_TOPIC, catalog.DEAD_LETTER_TOPIC)
"""Every topic that the contract names."""

_QUIET = {"log_level": 2, "log.connection.close": False}
_TIMEOUT = 10.0  # seconds; it answers within one


class EmbeddedBroker:
    """A Kafka cluster in the process, for Confluent's clients and ours; a context manager.

    It produces, consumes, balances groups (``group.protocol=consumer`` joins at once, ``classic`` after
    three seconds) and keeps commits. It has no access control, configurations, deletion of topics, look-up by
    time or real transactions, and forgets everything when stopped: for demos, development and tests.

    Args:
        brokers: how many brokers the cluster has.
        topics: those that exist from the beginning; others come to be when first used.

    Raises:
        ValueError: without a broker.
    """

    def __init__(self, brokers: int = 1, topics: Iterable[str] = CONTRACT_TOPICS) -> None:
        if brokers < 1:
            raise ValueError(f"a cluster has at least one broker, not {brokers}")
        self._brokers = brokers
        self._topics = tuple(topics)
        self._cluster: Any = None  # the cluster lives and dies with this client
        self._bootstrap = ""

    @property
    def bootstrap(self) -> str:
        """What to give a client as ``bootstrap.servers``; it is known once started."""
        return self._bootstrap

    def start(self) -> Self:
        """Answer from threads of librdkafka's own; started already, it goes on.

        Raises:
            BrokerUnavailable: it does not come up.
        """
        if self._cluster is None:
            cluster = Producer({"test.mock.num.brokers": self._brokers, **_QUIET})
            try:
                found = cluster.list_topics(timeout=_TIMEOUT).brokers
                for topic in self._topics:
                    cluster.list_topics(topic, timeout=_TIMEOUT)  # asking for it makes it
            except KafkaException as error:
                raise BrokerUnavailable(f"the embedded broker does not answer: {error}") from error
            self._bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in found.values())
            self._cluster = cluster
        return self

    def stop(self) -> None:
        """End it with everything that it holds; stopped already, it stays so."""
        self._cluster = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
