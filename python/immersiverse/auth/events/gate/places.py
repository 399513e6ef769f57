"""On which line of a .proto text a change is, for those who annotate it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.proto_text import statements

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "#/"


def lines(text: str) -> dict[str, int]:
    """The lines of a file's declarations by the paths that changes name, such as ``#/LoginFailed/3``.

    Fields and values stand under their messages and enums by number, those of a oneof under it as well.
    """
    found = {FILE: 1}
    scopes: list[tuple[str, ...]] = [("#",)]
    for words, end, line in statements(text):
        if end == ";":
            for path in _declared(words, scopes[-1]):
                found.setdefault(path, line)
        elif end == "{":
            scopes.append(_scope(words, scopes[-1]))
            for path in scopes[-1]:
                found.setdefault(path, line)
        elif len(scopes) > 1:
            scopes.pop()
    return found


def line_of(path: str, known: Mapping[str, int]) -> int:
    """The line of a path, or of what surrounds it if it is no longer there."""
    while path not in known and "/" in path:
        path = path.rpartition("/")[0]
    return known.get(path, 1)


def _scope(words: list[str], outer: tuple[str, ...]) -> tuple[str, ...]:
    """The paths that what follows may stand under, the innermost first."""
    match words:
        case [*_, "message" | "enum", name]:
            return tuple(f"{path}/{name}" for path in outer[-1:])
        case ["oneof", name]:
            return (f"{outer[-1]}/{name}", outer[-1]) if outer else ()
    return ()


def _declared(words: list[str], scope: tuple[str, ...]) -> list[str]:
    if "=" not in words or words[0] == "option" or scope == ("#",):
        return []
    number = "".join(words[words.index("=") + 1 :])
    return [f"{path}/{number}" for path in scope]
