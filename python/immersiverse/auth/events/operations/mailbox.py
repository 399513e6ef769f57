"""The dead letter topic, as it was when it was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.operations.dead_letters import headers_of, read_letter
from immersiverse.auth.events.operations.markers import MARKER_HEADER, marked_letter
from immersiverse.auth.events.operations.partitions import Extent, Partition, extents, partitions_of
from immersiverse.auth.events.operations.reading import read_to_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Message

    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.dead_letters import DeadLetter, LetterId


class Mailbox:
    """All dead letters up to now. Those that come later are not in it, so that no redrive runs after itself.

    Args:
        cluster: where.
        topic: the dead letter topic.

    Attributes:
        topic: that topic.

    Raises:
        OperationRefused: if the topic does not exist, or must not be read.
        BrokerUnavailable: if nobody answers.
    """

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self.topic = topic
        self._cluster = cluster
        self._extents = extents(cluster, partitions_of(cluster, (topic,)))

    def redriven(self) -> frozenset[LetterId]:
        """Which letters were sent back already.

        Raises:
            OperationRefused, BrokerUnavailable: if they cannot be read.
        """
        messages = read_to_end(self._cluster, self._extents)
        marked = (marked_letter(headers_of(message)) for message in messages)
        return frozenset(letter for letter in marked if letter is not None)

    def letters(self) -> Iterator[DeadLetter]:
        """Every letter, those sent back already included; each partition's in order.

        Raises:
            OperationRefused, BrokerUnavailable: if they cannot be read.
        """
        messages = read_to_end(self._cluster, self._extents)
        return (read_letter(message) for message in messages if not _is_marker(message))

    def letter(self, name: LetterId) -> DeadLetter:
        """One letter.

        Raises:
            OperationRefused: if there is none of this name, or it must not be read.
            BrokerUnavailable: if nobody answers.
        """
        partition = Partition(self.topic, name.partition)
        extent = self._extents.get(partition)
        if extent and extent.first <= name.offset < extent.end:
            only = {partition: Extent(name.offset, name.offset + 1)}
            for message in read_to_end(self._cluster, only):
                if not _is_marker(message):
                    return read_letter(message)
        raise OperationRefused("OFFSET_OUT_OF_RANGE", f"there is no dead letter {self.topic}-{name}")


def _is_marker(message: Message) -> bool:
    return any(name == MARKER_HEADER for name, _ in headers_of(message))
