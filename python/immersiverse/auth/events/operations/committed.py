"""What consumer groups have committed: asked as one of their consumers would, which joins nothing."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.operations.partitions import Partition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from confluent_kafka import Consumer

    from immersiverse.auth.events.operations.cluster import Cluster

_AT_A_TIME = 8  # a consumer has a handful of threads
_LOOK_EVERY: Final = 1.0  # seconds without an answer after which a refusal is looked for
_SETTINGS: Final[Mapping[str, Any]] = {
    # What a transaction has not committed yet would otherwise be waited for, however long it takes.
    "isolation.level": "read_uncommitted",
}


def committed(
    cluster: Cluster, names: Collection[str], partitions: Collection[Partition]
) -> dict[str, dict[Partition, int]]:
    """The next offset that each group reads, in every partition where it has committed one.

    Args:
        cluster: where.
        names: which groups; one that does not exist has committed nothing.
        partitions: which partitions.

    Raises:
        OperationRefused: if rights are missing.
        BrokerUnavailable: if nobody answers.
    """
    if not partitions:
        return {name: {} for name in names}
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        found = pool.map(lambda name: _committed(cluster, name, partitions), names)
        return dict(zip(names, found, strict=True))


def _committed(cluster: Cluster, name: str, partitions: Collection[Partition]) -> dict[Partition, int]:
    wanted = [TopicPartition(partition.topic, partition.number) for partition in partitions]

    def ask(_admin: Any) -> list[TopicPartition]:
        found = _answer(consumer, wanted, cluster.timeout)
        for partition in found:
            if partition.error is not None:
                raise KafkaException(partition.error)
        return found

    consumer = cluster.reader({**_SETTINGS, "group.id": name})
    try:
        found = cluster.ask(f"look up what the group {name} has committed", ask)
    finally:
        consumer.close()
    return {Partition(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}


def _answer(consumer: Consumer, wanted: list[TopicPartition], seconds: float) -> list[TopicPartition]:
    """A refused consumer waits like any other, for a coordinator; why it does so it tells whoever reads."""
    until = time.monotonic() + seconds
    while True:
        try:
            return consumer.committed(wanted, timeout=min(_LOOK_EVERY, seconds))
        except KafkaException as error:
            message = consumer.poll(0)
            if message is not None and (refusal := message.error()) is not None:
                raise KafkaException(refusal) from error
            if error.args[0].code() != KafkaError._TIMED_OUT or time.monotonic() > until:  # noqa: SLF001 - librdkafka's name
                raise
