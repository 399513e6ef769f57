"""The text of a .proto file, cut into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from immersiverse.auth.events.errors import InvalidSchema

# Possessive quantifiers keep the cost linear whatever the text.
_TOKEN = re.compile(
    r"""
    (?:[ \t\r\n\f\v]++ | //[^\n]*+ | /\*(?:[^*]|\*(?!/))*+\*/)*+
    (?:
      (?P<name>[A-Za-z_][A-Za-z0-9_]*+)
    | (?P<float>(?:(?:[0-9]++\.[0-9]*+ | \.[0-9]++)(?:[eE][+-]?[0-9]++)? | [0-9]++[eE][+-]?[0-9]++))
      (?![A-Za-z0-9_.])
    | (?P<integer>(?:0[xX][0-9a-fA-F]++ | [0-9]++))(?![A-Za-z0-9_.])
    | (?P<string>"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+" | '[^'\\\n]*+(?:\\[^\n][^'\\\n]*+)*+')
    | (?P<symbol>[;{}=\[\](),.<>:+-] | /(?![/*]))
    | (?P<end>\Z)
    )
    """,
    re.VERBOSE,
)
_SKIPPED = re.compile(r"(?:[ \t\r\n\f\v]++|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+")


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


def _unreadable(text: str, position: int, name: str) -> InvalidSchema:
    skipped = _SKIPPED.match(text, position)
    offset = skipped.end() if skipped else position
    found = text[offset]
    if found in "\"'":
        return problem(text, offset, name, "expected the string to end on its line")
    if text.startswith("/*", offset):
        return problem(text, offset, name, "expected the comment to end with */")
    if found in "0123456789.":
        return problem(text, offset, name, "expected a number, with white space after it")
    return problem(text, offset, name, f"expected a token, not {found!r}")
