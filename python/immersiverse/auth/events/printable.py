"""Text from messages made safe for terminals and logs: without control characters, and cut."""

from __future__ import annotations

import re
from typing import Final

MAX_ERROR_TEXT: Final = 1_000
"""Characters of an error's text; a longer one is cut, and its length added."""

# C0 and DEL, C1, marks and overrides of direction, line separators: what moves a cursor or reorders text.
# And lone surrogates, which no encoding can write.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_IN_LINES = re.compile(_CONTROL.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def printable(text: str, *, lines: bool = False) -> str:
    r"""Text without control characters: each becomes ``\u001b`` or the like, as JSON escapes it.

    Args:
        text: any text. Valid JSON stays the same document.
        lines: whether line feeds and tabs may stay.
    """
    return (_CONTROL_IN_LINES if lines else _CONTROL).sub(_escaped, text)


def capped(text: str, limit: int = MAX_ERROR_TEXT) -> str:
    """A text, or of one that is too long the beginning and the length."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def error_text(error: BaseException) -> str:
    """An error for a log line: its `repr`, printable and capped, even if it cannot give one."""
    try:
        text = repr(error)
    except Exception:  # noqa: BLE001 - an error of another library may fail to describe itself
        text = f"{type(error).__name__} (its text cannot be shown)"
    return printable(capped(text))


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
