"""Moments as operators write them."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from immersiverse.auth.events.cli.failures import WRONG_USE, CommandFailed

MOMENT_HELP = "such as 2025-07-01T09:00:00Z, 2025-07-01, or 15m, 2h, 7d ago"

_AGO = re.compile(r"(\d{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MILLISECONDS = re.compile(r"\d{12,14}")


def milliseconds_of(text: str) -> int:
    """A moment in milliseconds since 1970 in UTC: as ISO 8601, as that number, or as so long ago.

    Raises:
        CommandFailed: it is none of these.
    """
    if ago := _AGO.fullmatch(text):
        return int((time.time() - int(ago[1]) * _SECONDS[ago[2]]) * 1000)
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailed(f"{text!r} is no moment: write one {MOMENT_HELP}", WRONG_USE) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def written(milliseconds: int) -> str:
    """A moment for people: UTC, to the millisecond; empty for none."""
    if milliseconds < 0:
        return ""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
