"""Which events a tail shows, and the messages that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersiverse.auth.events import catalog
from immersiverse.auth.events.admin.offset_reset import start_offsets
from immersiverse.auth.events.admin.topic_reader import follow, read_to_end
from immersiverse.auth.events.admin.topics import OffsetRange, existing_topics, offset_ranges, partitions_of
from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.events import event_type_of
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.offset_reset import ResetTarget
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.serialization.unknown import Decoded

_USER_ID = "user_id"


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
    """The messages of topics.

    Args:
        cluster: the cluster.
        topics: the topics; those of the contract that exist if empty.
        start: where to begin.
        on_outage: if given, follow without end, as `topic_reader.follow` does; else stop at the current end.
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
    user: str = getattr(getattr(event, event.WhichOneof("payload") or ""), _USER_ID, "")
    return user
