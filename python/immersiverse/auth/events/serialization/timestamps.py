"""RFC 3339 text of times and JSON text of durations, as proto3 JSON writes and reads them.

Source: the Protobuf JSON mapping of Timestamp and Duration.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp

MIN_SECONDS, MAX_SECONDS = -62_135_596_800, 253_402_300_799  # 0001-01-01 to 9999-12-31
MAX_DURATION = 315_576_000_000  # 10,000 years in seconds
NANOS = 1_000_000_000

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - only its difference to other UTC times is used
_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})", re.ASCII
)
_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)


def format_timestamp(time: Timestamp) -> str:
    """RFC 3339 in UTC, with 0, 3, 6 or 9 digits of a second.

    Raises:
        ValueError: if the time is outside the years 1 to 9999.
    """
    nanos = time.nanos
    if nanos:
        return f"{_second(time.seconds)}{_fraction(nanos)}Z"
    return f"{_second(time.seconds)}Z"


def parse_timestamp(text: str) -> tuple[int, int]:
    """The time that RFC 3339 text names, with any offset.

    Raises:
        ValueError: if it names none, or one outside the years 1 to 9999.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("is not an RFC 3339 time such as 2025-06-01T10:15:30Z")
    second, fraction, zone = match.groups()
    seconds = _seconds(second)
    if zone != "Z":
        seconds -= _offset(zone)
        if not MIN_SECONDS <= seconds <= MAX_SECONDS:
            raise ValueError("is outside the years 1 to 9999")
    return seconds, int(fraction.ljust(9, "0")) if fraction else 0


def format_duration(span: Duration) -> str:
    """Seconds with a fraction of 0, 3, 6 or 9 digits and an ``s``.

    Raises:
        ValueError: if it is not a valid duration of at most 10,000 years.
    """
    seconds, nanos = span.seconds, span.nanos
    if abs(seconds) > MAX_DURATION or abs(nanos) >= NANOS or seconds * nanos < 0:
        raise ValueError("is not a duration of at most 10,000 years")
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction(abs(nanos)) if nanos else ''}s"


def parse_duration(text: str) -> tuple[int, int]:
    """The seconds and nanoseconds, of one sign, that JSON text names.

    Raises:
        ValueError: if it names none, or one longer than 10,000 years.
    """
    match = _DURATION.fullmatch(text)
    if match is None or int(match[2]) > MAX_DURATION:
        raise ValueError("is not a duration such as 1.5s")
    sign = -1 if match[1] else 1
    return sign * int(match[2]), sign * int((match[3] or "").ljust(9, "0"))


@lru_cache(maxsize=4096)  # many events share a second
def _second(seconds: int) -> str:
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise ValueError("is outside the years 1 to 9999")
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()


@lru_cache(maxsize=4096)
def _seconds(text: str) -> int:
    since = datetime.fromisoformat(text) - _EPOCH
    return since.days * 86_400 + since.seconds


def _offset(zone: str) -> int:
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - RFC 3339 section 5.6
        raise ValueError("has an offset that is no time of day")
    seconds = hours * 3600 + minutes * 60
    return -seconds if zone[0] == "-" else seconds


def _fraction(nanos: int) -> str:
    if not 0 < nanos < NANOS:
        raise ValueError("has nanoseconds that are no fraction of a second")
    digits = f".{nanos:09}"
    if nanos % 1_000:
        return digits
    return digits[:7] if nanos % 1_000_000 else digits[:4]
