"""The dead letter topic, as it was when it was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.operations.dead_letters import LetterId, read_letter
from immersiverse.auth.events.operations.keepsake import Keepsake
from immersiverse.auth.events.operations.markers import MarkedLetters, marked_letter
from immersiverse.auth.events.operations.partitions import Extent, Partition, extents, partitions_of
from immersiverse.auth.events.operations.reading import read_to_end
from immersiverse.auth.events.operations.replay import ToTimestamp
from immersiverse.auth.events.operations.tail import starts

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from confluent_kafka import Message

    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.dead_letters import DeadLetter

    OnRead = Callable[[int, int], None]

_TOLD_EVERY = 500  # messages


class Mailbox:
    """All dead letters up to now. Those that come later are not in it, so that no redrive runs after itself.

    A letter's marker may be the last message of its partition, so what was sent back is only known when all
    is read. What fits into some memory is kept for the second look. Where there is more, Kafka is read twice:
    keeping it would need memory without bound, and to read 300,000 messages again takes three seconds.

    Args:
        cluster: where.
        topic: the dead letter topic.
        since: leave out what was put there before this moment, in milliseconds since 1970 in UTC.
        on_read: is told now and then how many messages were read, of how many.

    Attributes:
        topic: that topic.

    Raises:
        OperationRefused: if the topic does not exist, or must not be read.
        BrokerUnavailable: if nobody answers.
    """

    def __init__(
        self, cluster: Cluster, topic: str, *, since: int | None = None, on_read: OnRead | None = None
    ) -> None:
        self.topic = topic
        self._cluster = cluster
        self._on_read = on_read
        self._kept: tuple[Message, ...] | None = None
        self._extents = extents(cluster, partitions_of(cluster, (topic,)))
        if since is not None:
            first = starts(cluster, self._extents, ToTimestamp(since))
            self._extents = {p: Extent(first[p], extent.end) for p, extent in self._extents.items()}

    def redriven(self) -> Container[LetterId]:
        """Which letters were sent back already; some 70 bytes of memory each.

        Raises:
            OperationRefused, BrokerUnavailable: if they cannot be read.
        """
        marked, keepsake = MarkedLetters(), Keepsake()
        for message in self._messages():
            keepsake.add(message)
            marked.note(message)
        self._kept = keepsake.messages
        return marked

    def letters(self, but: Container[LetterId] = ()) -> Iterator[DeadLetter]:
        """Every letter, those sent back already included; each partition's in order.

        Args:
            but: leave these out.

        Raises:
            OperationRefused, BrokerUnavailable: if they cannot be read.
        """
        for message in self._messages() if self._kept is None else self._kept:
            name = LetterId(message.partition() or 0, message.offset() or 0)
            if name not in but and marked_letter(message) is None:
                yield read_letter(message)

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
                if marked_letter(message) is None:
                    return read_letter(message)
        raise OperationRefused(
            "OFFSET_OUT_OF_RANGE",
            f"there is no dead letter {self.topic}-{name}; auth-events dlq list --all shows all",
        )

    def _messages(self) -> Iterator[Message]:
        whole = sum(extent.end - extent.first for extent in self._extents.values())
        for number, message in enumerate(read_to_end(self._cluster, self._extents)):
            if self._on_read is not None and not number % _TOLD_EVERY:
                self._on_read(number, whole)
            yield message
