"""Event ids: UUIDv7, which sort by the time they were made (RFC 9562 section 5.7)."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ENTROPY = 10  # bytes for each id
_COUNTER_BITS = 42
_COUNTER_LIMIT = 1 << _COUNTER_BITS
_VERSION_7 = 7 << 76
_VARIANT = 2 << 62


class EventIds:
    """Makes UUIDv7 text that strictly increases within a process, from any thread, even if the clock jumps.

    A 42-bit counter follows the milliseconds (RFC 9562 section 6.2, method 1): it begins at random in every
    new millisecond and counts up within one, or while the clock is behind its last reading.

    Args:
        clock: nanoseconds since 1970.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._milliseconds = 0
        self._counter = 0
        self._random = io.BytesIO()  # drawn many at a time: a system call for each id would double its cost

    def next(self) -> str:
        """A new id: 36 lower-case characters."""
        with self._lock:
            drawn = self._random.read(_ENTROPY)
            if not drawn:
                self._random = io.BytesIO(os.urandom(_ENTROPY * 256))
                drawn = self._random.read(_ENTROPY)
            entropy = int.from_bytes(drawn)
            now = self._clock() // 1_000_000
            if now > self._milliseconds:
                self._milliseconds, self._counter = now, entropy >> 39  # the top bit stays free to count into
            else:
                self._counter += 1
                if self._counter == _COUNTER_LIMIT:
                    self._milliseconds, self._counter = self._milliseconds + 1, 0
            milliseconds, counter = self._milliseconds, self._counter
        high = milliseconds << 80 | _VERSION_7 | (counter >> 30) << 64
        low = _VARIANT | (counter & 0x3FFF_FFFF) << 32 | entropy & 0xFFFF_FFFF
        text = (high | low).to_bytes(16).hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_ids = EventIds()


def _renew() -> None:
    global _ids  # noqa: PLW0603 - a forked child must not share its parent's counter, nor a lock held then
    _ids = EventIds()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def new_event_id() -> str:
    """A new event id: a UUIDv7 as 36 lower-case characters, greater than all before it in this process."""
    return _ids.next()


def derived_event_id(key: bytes | None, value: bytes) -> str:
    """The id of a message without one: the same key and bytes give the same id, so duplicates are found.

    A UUIDv8 (RFC 9562 section 5.8) made of the SHA-256 of the key's length, the key and the value.
    """
    digest = hashlib.sha256(len(key or b"").to_bytes(4) + (key or b"") + value).digest()
    number = int.from_bytes(digest[:16])
    number = number & ~(0xF << 76) | 8 << 76
    return str(uuid.UUID(int=number & ~(3 << 62) | 2 << 62))
