"""Times in options and in output."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from immersiverse.auth.events.cli.output import WRONG_USE, CommandFailed

TIME_HELP = "such as 2025-07-01T09:00:00Z, 2025-07-01, or 15m, 2h, 7d ago"

_AGE = re.compile(r"(\d{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_YEAR_10000 = 253_402_300_800_000  # milliseconds since 1970
_MILLISECONDS = re.compile(r"\d{12,14}")


def seconds_of(age: str) -> int | None:
    """The seconds of an age such as 2h; None if it is none."""
    found = _AGE.fullmatch(age)
    return int(found[1]) * _SECONDS[found[2]] if found else None


def milliseconds_of(text: str) -> int:
    """A time in milliseconds since 1970 in UTC: ISO 8601, that number, or an age such as 2h.

    Kafka knows no earlier time, so one before 1970 is 0, the beginning.

    Raises:
        CommandFailed: it is none of these.
    """
    if (age := seconds_of(text)) is not None:
        return max(0, int((time.time() - age) * 1000))
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailed(
            f"invalid time {text!r}: use ISO 8601, or an age such as 15m, 2h, 7d", WRONG_USE
        ) from error
    return max(0, int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000))


def format_time(milliseconds: int) -> str:
    """A time in UTC with milliseconds; empty if it is negative, which Kafka uses for unknown.

    Beyond the year 9999 it is the number, such as one of microseconds: brokers may take any.
    """
    if milliseconds < 0:
        return ""
    if milliseconds >= _YEAR_10000:
        return str(milliseconds)
    found = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{found:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"
