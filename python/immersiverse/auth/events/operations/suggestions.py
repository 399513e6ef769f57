"""What somebody may have meant who named what does not exist. Pure."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LIKE = 0.6  # how much two names must have in common


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that says that there is no such name; empty if no other is like it."""
    folded = {other.lower(): other for other in known}
    closest = get_close_matches(name.lower(), folded, n=1, cutoff=_LIKE)
    return f"; did you mean {folded[closest[0]]!r}?" if closest else ""
