"""The name that was probably meant by a misspelt one."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def closest_name(name: str, known: Iterable[str]) -> str:
    """The most similar known name, in upper or lower case; empty if none is similar."""
    folded = {other.lower(): other for other in known}
    closest = get_close_matches(name.lower(), folded, n=1)
    return folded[closest[0]] if closest else ""
