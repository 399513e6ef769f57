"""Which offsets of a partition are finished, and up to where that may be committed: pure bookkeeping."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


class Progress:
    """The progress of one assigned partition.

    Offsets begin in order and finish in any. Only what lies before the first unfinished one may be committed,
    or an event could be lost.

    Attributes:
        seen: the offset after the last that began.
    """

    __slots__ = ("_first", "_taken", "_unfinished", "seen")

    def __init__(self) -> None:
        self.seen = -1
        self._taken = -1
        self._first = -1  # where nothing has finished yet
        self._unfinished: dict[int, None] = {}  # in the order of offsets, since they begin in order

    def begin(self, offset: int) -> None:
        """An event began that will finish later."""
        if self.seen < 0:
            self._first = offset
        self._unfinished[offset] = None
        self.seen = offset + 1

    def finish(self, offset: int) -> None:
        """An event that began has finished."""
        del self._unfinished[offset]

    @property
    def unfinished(self) -> int:
        """How many events began and have not finished."""
        return len(self._unfinished)

    @property
    def committable(self) -> int:
        """The offset to read next if everything broke off now, which may be committed; -1 for none yet."""
        return next(iter(self._unfinished), self.seen)

    def reach(self, running: AbstractSet[int]) -> int:
        """The offset after the last event that finished or is one of the running; what follows only waits.

        Where offsets are missing from the log, events that wait just before the gap count as well.
        """
        end = self.seen
        for offset in reversed(self._unfinished):
            if offset != end - 1 or offset in running:
                break
            end = offset
        return end

    def take_commit(self) -> int | None:
        """What to commit now, if anything finished since this was last asked."""
        offset = self.last_commit
        if offset == self._taken:
            return None
        self._taken = -1 if offset is None else offset
        return offset

    @property
    def last_commit(self) -> int | None:
        """What to commit if nothing more will finish, whatever was taken; None if nothing finished."""
        offset = self.committable
        return None if offset in (-1, self._first) else offset

    def commit_failed(self) -> None:
        """What was taken was not committed: offer it again."""
        self._taken = -1
