"""Read topics without a consumer group, up to their current end or without end; and what a tail shows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events import catalog
from immersiverse.auth.events.admin.offset_reset import start_offsets
from immersiverse.auth.events.admin.topics import OffsetRange, existing_topics, offset_ranges, partitions_of
from immersiverse.auth.events.errors import BrokerUnavailable, OperationRefused
from immersiverse.auth.events.events import event_type_of, payload_of
from immersiverse.auth.events.partition import Partition
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from confluent_kafka import Consumer, Message

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.offset_reset import ResetTarget
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.serialization.unknown import Decoded

_BATCH: Final = 500
_BATCH_SECONDS: Final = 0.2  # how long to wait for a batch to fill
_STALLED_SECONDS: Final = 30.0  # without a message for so long, reading up to the end is given up
_CHECK_SECONDS: Final = 1.0  # between checks whether brokers are back, and how long a check may take
_EOF: Final = "_PARTITION_EOF"
# Errors that pass by themselves, and one about the group id, which a reader does not use.
_HARMLESS: Final = frozenset(
    {"_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE", "_TIMED_OUT", "GROUP_AUTHORIZATION_FAILED"}
)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Accepts events that match all criteria.

    Attributes:
        types: short names of event types; any if empty.
        user: a user, by user id or message key; any if empty.
    """

    types: frozenset[str] = frozenset()
    user: str = ""

    def accepts(self, event: Decoded | None, key: bytes | None) -> bool:
        """Whether an event matches; a tombstone has no type, and its user is its key."""
        if self.types and _type_name(event) not in self.types:
            return False
        return not self.user or self.user in ((key or b"").decode(errors="replace"), _user_of(event))


def read_tail(
    cluster: Cluster,
    topics: Collection[str],
    start: ResetTarget,
    *,
    on_outage: Callable[[str], None] | None = None,
) -> Iterator[Record | None]:
    """The messages of topics, or without names of the contract's topics that exist.

    It stops at the current end, or with ``on_outage`` never, as `follow`.
    """
    ranges = offset_ranges(cluster, partitions_of(cluster, topics or _contract_topics(cluster)))
    begin = start_offsets(cluster, ranges, start)
    if on_outage is not None:
        return follow(cluster, begin, on_outage=on_outage)
    return read_to_end(cluster, {p: OffsetRange(first, ranges[p].end) for p, first in begin.items()})


def _contract_topics(cluster: Cluster) -> list[str]:
    """The contract's topics that exist: few clusters have those of both routing modes."""
    counts = existing_topics(cluster)
    found = [topic for topic in (*catalog.TOPICS, catalog.SINGLE_TOPIC) if topic in counts]
    if not found:
        reason = "none of the contract's topics exists on this cluster; name a topic with --topic"
        raise OperationRefused("UNKNOWN_TOPIC_OR_PART", reason)
    return found


def _type_name(event: Decoded | None) -> str:
    if isinstance(event, UnknownEvent):
        return event.event_type
    return "" if event is None else event_type_of(event).name


def _user_of(event: Decoded | None) -> str:
    if event is None or isinstance(event, UnknownEvent):
        return ""
    return getattr(payload_of(event), "user_id", "")


def read_to_end(cluster: Cluster, ranges: Mapping[Partition, OffsetRange]) -> Iterator[Record]:
    """All messages in offset ranges; those of one partition in order."""
    ends = {partition: offsets.end for partition, offsets in ranges.items() if offsets.first < offsets.end}
    last_message = time.monotonic()
    reader = _assigned(cluster, {partition: ranges[partition].first for partition in ends})
    try:
        while ends:
            batch = reader.consume(_BATCH, _BATCH_SECONDS)
            if time.monotonic() - last_message > _STALLED_SECONDS:
                raise BrokerUnavailable(
                    f"cannot read {min(ends)}: Kafka sent no message for {_STALLED_SECONDS:.0f} s"
                )
            for message in batch:
                if message.error() is None:
                    last_message = time.monotonic()
                yield from _before_end(cluster, message, ends)
    finally:
        reader.close()


def _before_end(cluster: Cluster, message: Message, ends: dict[Partition, int]) -> Iterator[Record]:
    """The message if it is before its partition's end; removes partitions that are complete."""
    record = cast("Record", message)
    if error := message.error():
        if error.name() == _EOF:
            ends.pop(Partition(record.topic(), record.partition()), None)
        elif error.name() not in _HARMLESS:
            raise cluster.error_for("read", error)
        return
    partition = Partition(record.topic(), record.partition())
    if (end := ends.get(partition)) is not None:
        if record.offset() < end:
            yield record
        if record.offset() >= end - 1:
            del ends[partition]


def follow(
    cluster: Cluster, starts: Mapping[Partition, int], *, on_outage: Callable[[str], None]
) -> Iterator[Record | None]:
    """All messages from the given offsets on, as they arrive; None when none arrived for a while. Never ends.

    ``on_outage`` is called with a sentence when no broker can be reached, and when one can again.
    """
    outage = _Outage(on_outage)
    reader = _assigned(cluster, starts, outage.note)
    try:
        while True:
            batch = reader.consume(_BATCH, _BATCH_SECONDS)
            if not batch:
                outage.check(reader)
                yield None
            for message in batch:
                error = message.error()
                if error is None:
                    yield cast("Record", message)
                elif error.name() != _EOF and error.name() not in _HARMLESS:
                    raise cluster.error_for("read", error)
    finally:
        reader.close()


def _assigned(
    cluster: Cluster, starts: Mapping[Partition, int], on_error: Callable[[KafkaError], None] | None = None
) -> Consumer:
    reader = cluster.reader(on_error=on_error)
    try:
        reader.assign([TopicPartition(p.topic, p.number, offset) for p, offset in starts.items()])
    except KafkaException as error:
        reader.close()
        raise cluster.error_for("read", error.args[0]) from error
    return reader


class _Outage:
    """Reports when one consumer loses all brokers, and when it reaches one again."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._is_down = False
        self._checked = 0.0

    def note(self, error: KafkaError) -> None:
        """Take a background error of librdkafka."""
        if error.name() == "_ALL_BROKERS_DOWN" and not self._is_down:
            self._is_down = True
            self._report("cannot reach any broker; waiting, and continuing at the same offset then")

    def check(self, consumer: Consumer) -> None:
        """During an outage, ask for metadata to see whether it is over. Blocks for a second at most."""
        if not self._is_down or time.monotonic() - self._checked < _CHECK_SECONDS:
            return
        try:
            consumer.list_topics(timeout=_CHECK_SECONDS)
        except KafkaException:
            self._checked = time.monotonic()
        else:
            self._is_down = False
            self._report("Kafka answers again")
