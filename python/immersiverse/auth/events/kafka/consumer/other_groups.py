"""Passes by what a redrive sent to another consumer group alone. Used in the event loop's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.events import type_name
from immersiverse.auth.events.kafka.record import REDRIVE_GROUP_HEADER
from immersiverse.auth.events.observability.hooks import Dropped
from immersiverse.auth.events.serialization.headers import headers_of

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.serialization.unknown import Decoded


class OtherGroups:
    """The consumer groups that a subscriber does not belong to.

    Args:
        group: the one that it belongs to.
        notify: the hooks that are notified of what is passed by.
    """

    def __init__(self, group: str, notify: HookDispatcher) -> None:
        self._group = group.encode()
        self._notify = notify

    def own(self, record: Record) -> bool:
        """Whether a record was redriven to one of them alone, by its headers.

        Reading those costs as much as handling a record: ask only about one whose timestamp is a multiple of
        `REDRIVE_TIMESTAMP_UNIT`, or is the broker's and not the redrive's.
        """
        groups = [value for name, value in headers_of(record) if name == REDRIVE_GROUP_HEADER]
        return bool(groups) and self._group not in groups

    def pass_by(self, event: Decoded | None, _field: str, record: Record, _attempt: int) -> None:
        """Finish a record of theirs; instead of calling a handler."""
        if self._notify:
            self._notify(Dropped(record.topic(), type_name(event), "other-group"))
