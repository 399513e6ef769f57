"""Which events somebody wants to see, and from where. Reading itself is reading.py's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersiverse.auth.events import catalog
from immersiverse.auth.events.operations.partitions import offsets_at
from immersiverse.auth.events.operations.replay import ToBeginning, ToEnd, ToTimestamp
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.partitions import Extent, Partition
    from immersiverse.auth.events.serialization.codec import Decoded

Start = ToBeginning | ToEnd | ToTimestamp
"""From where events are shown."""

_USER_ID = "user_id"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Accepts events that fit all that is given.

    Attributes:
        types: short names of event types; any if empty.
        user: whose events, by user id or message key; anybody's if empty.
    """

    types: frozenset[str] = frozenset()
    user: str = ""

    def accepts(self, event: Decoded | None, key: bytes | None) -> bool:
        """Whether an event fits; a tombstone has no type, and the user that its key says."""
        if self.types and _type_name(event) not in self.types:
            return False
        return not self.user or self.user in ((key or b"").decode(errors="replace"), _user_of(event))


def starts(cluster: Cluster, extents: Mapping[Partition, Extent], start: Start) -> Mapping[Partition, int]:
    """The offset to begin with in every partition.

    Raises:
        OperationRefused, BrokerUnavailable: if a moment's offsets cannot be looked up.
    """
    match start:
        case ToBeginning():
            return {partition: extent.first for partition, extent in extents.items()}
        case ToEnd():
            return {partition: extent.end for partition, extent in extents.items()}
        case ToTimestamp(milliseconds):
            found = offsets_at(cluster, extents, milliseconds)
            return {p: extents[p].end if offset is None else offset for p, offset in found.items()}


def _type_name(event: Decoded | None) -> str:
    if isinstance(event, UnknownEvent):
        return event.event_type
    return "" if event is None else catalog.BY_ARM[event.WhichOneof("payload") or ""].name


def _user_of(event: Decoded | None) -> str:
    if event is None or isinstance(event, UnknownEvent):
        return ""
    user: str = getattr(getattr(event, event.WhichOneof("payload") or ""), _USER_ID, "")
    return user
