"""Which offsets of a partition are finished, and up to where that may be committed: pure bookkeeping."""

from __future__ import annotations


class Progress:
    """The progress of one assigned partition.

    Offsets begin in order and finish in any. Only what lies before the first unfinished one may be committed, or
    an event could be lost.

    Attributes:
        seen: the offset after the last that began.
        live: whether the partition is still ours; what finishes later counts no more.
    """

    __slots__ = ("_committed", "_unfinished", "live", "seen")

    def __init__(self, start: int = -1) -> None:
        self.seen = start
        self.live = True
        self._committed = start
        self._unfinished: dict[int, None] = {}  # in the order of offsets, since they begin in order

    def begin(self, offset: int) -> None:
        """An event began that will finish later."""
        self._unfinished[offset] = None
        self.seen = offset + 1

    def finish(self, offset: int) -> None:
        """An event that began has finished."""
        self._unfinished.pop(offset, None)

    @property
    def unfinished(self) -> int:
        """How many events began and have not finished."""
        return len(self._unfinished)

    @property
    def committable(self) -> int:
        """The offset that may be committed: the next to be read if everything broke off now; -1 for none yet."""
        return next(iter(self._unfinished), self.seen)

    def take_commit(self) -> int | None:
        """What to commit now, if anything finished since this was last asked."""
        offset = self.committable
        if offset < 0 or offset == self._committed:
            return None
        self._committed = offset
        return offset

    def commit_failed(self) -> None:
        """What was taken was not committed: offer it again."""
        self._committed = -1
