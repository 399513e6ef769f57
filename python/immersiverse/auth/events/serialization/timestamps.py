"""RFC 3339 text of times and JSON text of durations, as proto3 JSON writes and reads them.

Source: the Protobuf JSON mapping of Timestamp and Duration.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from immersiverse.auth.events.validation import MAX_DURATION, MAX_SECONDS, MIN_SECONDS, NANOS

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp


_NO_TIME = "is not an RFC 3339 time such as 2025-06-01T10:15:30Z"
_NO_YEAR = "is outside the years 1 to 9999"

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - only its difference to other UTC times is used
_MINUTE = re.compile(r"\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):\d{2}:", re.ASCII)
_MINUTE_END = len("2025-06-01T10:15:")
_SECOND_END = len("2025-06-01T10:15:30")
_MICROSECONDS_LENGTH = len("2025-06-01T10:15:30.123456Z")
_OFFSET = re.compile(r"[+-]\d{2}:\d{2}", re.ASCII)
_OFFSET_LENGTH = len("+09:00")
_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
# Digits by number and numbers by digits: a look-up takes less time than int() and format do, and checks too.
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))
_THREE_DIGITS = tuple(f"{number:03}" for number in range(1_000))
_POINT_MILLIS = tuple(f".{digits}" for digits in _THREE_DIGITS)
_MICROS = ("", *_THREE_DIGITS[1:])
_SECONDS = {digits: number for number, digits in enumerate(_TWO_DIGITS)}
_THOUSANDTHS = {
    digits[:length]: int(digits[:length].ljust(3, "0")) for digits in _THREE_DIGITS for length in range(4)
}


def format_timestamp(time: Timestamp) -> str:
    """RFC 3339 in UTC, with 0, 3, 6 or 9 digits of a second.

    Raises:
        ValueError: if the time is outside the years 1 to 9999.
    """
    return format_time(time.seconds, time.nanos)


def format_time(seconds: int, nanos: int) -> str:
    """The same for seconds since 1970 and nanoseconds."""
    minute, second = _minute_text(seconds // 60), _TWO_DIGITS[seconds % 60]
    if 0 < nanos < NANOS and not nanos % 1_000:  # microseconds, the contract's precision, take no detour
        return f"{minute}{second}{_POINT_MILLIS[nanos // 1_000_000]}{_MICROS[nanos // 1_000 % 1_000]}Z"
    return f"{minute}{second}{_fraction(nanos)}Z"


def parse_timestamp(text: object) -> tuple[int, int]:
    """The time that RFC 3339 text names, with any offset.

    Returns:
        Seconds since 1970 in UTC, and nanoseconds.

    Raises:
        ValueError: if it names none, or one outside the years 1 to 9999.
    """
    if type(text) is not str:
        raise ValueError("is not a string")
    try:
        seconds = _minute_seconds(text[:_MINUTE_END]) + _SECONDS[text[_MINUTE_END:_SECOND_END]]
        if len(text) == _MICROSECONDS_LENGTH and text[_SECOND_END] == "." and text[-1] == "Z":
            millis, micros = _THOUSANDTHS[text[20:23]], _THOUSANDTHS[text[23:26]]
            return seconds, millis * 1_000_000 + micros * 1_000
        return _with_any_end(seconds, text[_SECOND_END:])
    except KeyError:  # which quotes the text
        raise ValueError(_NO_TIME) from None


def format_duration(span: Duration) -> str:
    """Seconds with a fraction of 0, 3, 6 or 9 digits and an ``s``.

    Raises:
        ValueError: if it is not a valid duration of at most 10,000 years.
    """
    seconds, nanos = span.seconds, span.nanos
    if abs(seconds) > MAX_DURATION or abs(nanos) >= NANOS or seconds * nanos < 0:
        raise ValueError("is not a duration of at most 10,000 years")
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction(abs(nanos))}s"


def parse_duration(text: object) -> tuple[int, int]:
    """The seconds and nanoseconds, of one sign, that JSON text names.

    Raises:
        ValueError: if it names none, or one longer than 10,000 years.
    """
    match = _DURATION.fullmatch(text) if type(text) is str else None
    if match is None or int(match[2]) > MAX_DURATION:
        raise ValueError("is not a duration such as 1.5s")
    sign = -1 if match[1] else 1
    return sign * int(match[2]), sign * int((match[3] or "").ljust(9, "0"))


@lru_cache(maxsize=4096)  # events of one stream share a few minutes
def _minute_text(minute: int) -> str:
    if not MIN_SECONDS <= minute * 60 <= MAX_SECONDS:
        raise ValueError(_NO_YEAR)
    return (_EPOCH + timedelta(minutes=minute)).isoformat()[:_MINUTE_END]


@lru_cache(maxsize=4096)
def _minute_seconds(text: str) -> int:
    if not _MINUTE.fullmatch(text):
        raise ValueError(_NO_TIME)
    try:
        since = datetime.fromisoformat(f"{text}00") - _EPOCH
    except ValueError:  # of which some versions of Python quote the text
        raise ValueError("is no time of the calendar") from None
    return since.days * 86_400 + since.seconds


def _with_any_end(seconds: int, end: str) -> tuple[int, int]:
    """The time of what follows the second: a fraction or none, and an offset."""
    if end[-1:] == "Z":
        return seconds, _nanos(end[:-1])
    seconds -= _offset(end[-_OFFSET_LENGTH:])
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise ValueError(_NO_YEAR)
    return seconds, _nanos(end[:-_OFFSET_LENGTH])


def _offset(zone: str) -> int:
    if not _OFFSET.fullmatch(zone):
        raise ValueError(_NO_TIME)
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - RFC 3339 section 5.6
        raise ValueError("has an offset that is no time of day")
    seconds = hours * 3600 + minutes * 60
    return -seconds if zone[0] == "-" else seconds


def _nanos(fraction: str) -> int:
    """The nanoseconds of a point and 1 to 9 digits, or of nothing. Raises KeyError for anything else."""
    if not fraction:
        return 0
    if fraction[0] != "." or fraction == ".":
        raise KeyError(fraction)
    millis, micros, nanos = fraction[1:4], fraction[4:7], fraction[7:]
    return _THOUSANDTHS[millis] * 1_000_000 + _THOUSANDTHS[micros] * 1_000 + _THOUSANDTHS[nanos]


def _fraction(nanos: int) -> str:
    """A point and 3, 6 or 9 digits, or nothing."""
    if nanos == 0:
        return ""
    if not 0 < nanos < NANOS:
        raise ValueError("has nanoseconds that are no fraction of a second")
    digits = f".{nanos:09}"
    if nanos % 1_000:
        return digits
    return digits[:7] if nanos % 1_000_000 else digits[:4]
