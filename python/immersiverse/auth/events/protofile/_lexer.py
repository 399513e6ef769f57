"""The text of a .proto file, cut into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from immersiverse.auth.events.errors import InvalidSchema

# Every character has one way to be matched, so that the cost is linear whatever the text. No group has a
# possessive quantifier, which the first versions of Python 3.11 get wrong.
_TOKEN = re.compile(
    r"""
      (?P<name>[A-Za-z_][A-Za-z0-9_]*+)
    | (?P<float>(?:(?:[0-9]++\.[0-9]*+ | \.[0-9]++)(?:[eE][+-]?[0-9]++)? | [0-9]++[eE][+-]?[0-9]++))
      (?![A-Za-z0-9_.])
    | (?P<integer>(?:0[xX][0-9a-fA-F]++ | [0-9]++))(?![A-Za-z0-9_.])
    | (?P<string>"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*" | '[^'\\\n]*(?:\\[^\n][^'\\\n]*)*')
    | (?P<symbol>[;{}=\[\](),.<>:+-] | /(?![/*]))
    | (?P<end>\Z)
    """,
    re.VERBOSE,
)
_BLANK = re.compile(r"[ \t\r\n\f\v]*+")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Parallel lists, one entry a token; the last token is the end of the text.

    Attributes:
        kinds: ``name``, ``integer``, ``float``, ``string``, ``symbol`` or ``end``.
        texts: as written, strings with their quotes; empty for the end.
        offsets: where each begins, in characters.
    """

    kinds: list[str]
    texts: list[str]
    offsets: list[int]


def tokenize(text: str, name: str) -> Tokens:
    """Cut text into tokens, without comments and white space.

    Raises:
        InvalidSchema: a character that begins no token, an unterminated string or comment.
    """
    tokens = Tokens([], [], [])
    position = 1 if text.startswith("\ufeff") else 0
    while True:
        position = _skip(text, position)
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position, name)
        kind = match.lastgroup or "end"
        tokens.kinds.append(kind)
        tokens.texts.append(match[kind])
        tokens.offsets.append(match.start(kind))
        if kind == "end":
            return tokens
        position = match.end()


def problem(text: str, offset: int, name: str, message: str) -> InvalidSchema:
    """An error that says where: file (if it has a name), line and column, both from 1."""
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    return InvalidSchema(f"{name or '<text>'}:{line}:{column}: {message}")


def _skip(text: str, position: int) -> int:
    """Where the next token begins: after white space and comments; at a comment that does not end."""
    while True:
        position = _BLANK.match(text, position).end()  # type: ignore[union-attr]  # it always matches
        if text.startswith("//", position):
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif text.startswith("/*", position) and (end := text.find("*/", position + 2)) >= 0:
            position = end + 2
        else:
            return position


def _unreadable(text: str, offset: int, name: str) -> InvalidSchema:
    found = text[offset]
    if found in "\"'":
        return problem(text, offset, name, "expected the string to end on its line")
    if text.startswith("/*", offset):
        return problem(text, offset, name, "expected the comment to end with */")
    if found in "0123456789.":
        return problem(text, offset, name, "expected a number, with white space after it")
    return problem(text, offset, name, f"expected a token, not {found!r}")
