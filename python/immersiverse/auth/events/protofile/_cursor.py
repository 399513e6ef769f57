"""A place in a token list, and what can be asked of it."""

from __future__ import annotations

from typing import NoReturn

from immersiverse.auth.events.protofile._lexer import problem, tokenize
from immersiverse.auth.events.protofile._literals import integer, unquote


class Cursor:
    """Walks the tokens of one text; every complaint says line and column.

    Raises:
        InvalidSchema: from any method, when the text goes on otherwise than asked.
    """

    __slots__ = ("_kinds", "_offsets", "_text", "_texts", "index", "name")

    def __init__(self, text: str, name: str) -> None:
        tokens = tokenize(text, name)
        self._text = text
        self._texts = tokens.texts
        self._kinds = tokens.kinds
        self._offsets = tokens.offsets
        self.name = name
        self.index = 0

    @property
    def text(self) -> str:
        """The token at hand as written; empty at the end."""
        return self._texts[self.index]

    @property
    def next_text(self) -> str:
        """The token after the one at hand."""
        return self._texts[min(self.index + 1, len(self._texts) - 1)]

    @property
    def kind(self) -> str:
        """The kind of the token at hand."""
        return self._kinds[self.index]

    @property
    def offset(self) -> int:
        """Where the token at hand begins."""
        return self._offsets[self.index]

    @property
    def taken_offset(self) -> int:
        """Where the token before the one at hand begins."""
        return self._offsets[self.index - 1]

    def fail(self, message: str, offset: int | None = None, cause: Exception | None = None) -> NoReturn:
        """Complain about the token at hand, or the one that begins at an offset."""
        raise problem(self._text, self.offset if offset is None else offset, self.name, message) from cause

    def unexpected(self, expected: str) -> NoReturn:
        """Complain that something else was expected here."""
        found = self.text[:40] or "the end of the file"
        self.fail(f"expected {expected}, not {found}")

    def take(self) -> str:
        """The token at hand; step over it."""
        text = self._texts[self.index]
        if self.index < len(self._texts) - 1:
            self.index += 1
        return text

    def accept(self, text: str) -> bool:
        """Step over the token if it is this one."""
        if self._texts[self.index] == text and text:
            self.index += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Step over the token, which must be this one."""
        if self._texts[self.index] != text:
            self.unexpected(f'"{text}"')
        self.index += 1

    def identifier(self, what: str) -> str:
        """Step over a name."""
        if self._kinds[self.index] != "name":
            self.unexpected(what)
        self.index += 1
        return self._texts[self.index - 1]

    def full_name(self, what: str) -> str:
        """Step over identifiers joined by dots."""
        name = self.identifier(what)
        if self._texts[self.index] != ".":
            return name
        parts = [name]
        while self.accept("."):
            parts.append(self.identifier("an identifier"))
        return ".".join(parts)

    def type_name(self, what: str) -> str:
        """Step over a name that may begin with a dot."""
        return "." + self.full_name(what) if self.accept(".") else self.full_name(what)

    def integer(self, what: str, low: int, high: int) -> int:
        """Step over a whole number, with a sign if negative ones are allowed."""
        offset = self.offset
        negative = low < 0 and self.accept("-")
        if self.kind != "integer":
            self.unexpected(what)
        value = integer(self.take())
        if value is None or not low <= (-value if negative else value) <= high:
            self.fail(f"expected {what} from {low} to {high}", offset)
        return -value if negative else value

    def string(self, what: str) -> bytes:
        """Step over a string literal and the ones that follow it at once, which belong to it."""
        if self.kind != "string":
            self.unexpected(what)
        parts = []
        while self.kind == "string":
            try:
                parts.append(unquote(self.text))
            except ValueError as error:
                self.fail(f"expected a valid string: {error}", cause=error)
            self.index += 1
        return b"".join(parts)

    def text_string(self, what: str) -> str:
        """Step over a string literal that is text."""
        offset = self.offset
        data = self.string(what)
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            self.fail(f"expected {what} in UTF-8", offset, error)
