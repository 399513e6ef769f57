"""The words of a .proto text and its statements: enough to find declarations in it, valid or not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# No group has a possessive quantifier, which the first versions of Python 3.11 get wrong.
_WORD = re.compile(
    r"//[^\n]*|/\*[^*]*(?:\*(?!/)[^*]*)*(?:\*/|\Z)"
    r"|(?P<word>\"[^\"\\\n]*(?:\\[^\n][^\"\\\n]*)*\"?|'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*'?"
    r"|[A-Za-z0-9_.]+|[^\sA-Za-z0-9_.])"
)


def words(text: str) -> Iterator[tuple[str, int]]:
    """Each word, string or sign outside comments, with its line from 1."""
    line, counted = 1, 0
    for match in _WORD.finditer(text):
        if match["word"]:
            line += text.count("\n", counted, match.start())
            counted = match.start()
            yield match["word"], line


def imports(text: str) -> Iterator[str]:
    """The paths that a file imports."""
    before = ""
    for word, _ in words(text):
        if before == "import" and word in ("public", "weak"):
            continue
        if before == "import" and word[0] in "\"'" and word.isprintable():
            yield word[1:-1]
        before = word


def statements(text: str) -> Iterator[tuple[list[str], str, int]]:
    """The words of each statement without options, what ends it (``;``, ``{``, ``}``), and its first line."""
    statement: list[str] = []
    begins, options = 1, 0
    for word, line in words(text):
        if options:
            options += (word in ("[", "{")) - (word in ("]", "}"))
        elif word == "[" or (word == "{" and statement[:1] == ["option"]):
            options = 1
        elif word in (";", "{", "}"):
            yield statement, word, begins if statement else line
            statement = []
        else:
            begins = begins if statement else line
            statement.append(word)
