"""What a step found, for a person at a terminal and for GitHub."""

from __future__ import annotations

from dataclasses import dataclass

_ESCAPED = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_ESCAPED_IN_PROPERTIES = {**_ESCAPED, ":": "%3A", ",": "%2C"}


@dataclass(frozen=True)
class Fault:
    """One thing that must not land.

    Attributes:
        message: what is wrong, and what to do instead.
        title: the rule that it breaks.
        file: where, from the root of the tree; empty for nowhere in particular.
        line: the line in it, from 1.
    """

    message: str
    title: str
    file: str = ""
    line: int = 1

    @property
    def identity(self) -> tuple[str, str, int, str]:
        """What two steps that find the same agree on; without a place, that is the message."""
        return self.title, self.file, self.line, "" if self.file else self.message

    def __str__(self) -> str:
        """A line for a terminal."""
        where = f"{self.file}:{self.line}: " if self.file else ""
        return f"{where}{self.title}: {self.message}"

    def annotation(self) -> str:
        """GitHub's workflow command, which shows it beside the line that it is about."""
        properties = {"title": self.title}
        if self.file:
            properties |= {"file": self.file, "line": str(self.line)}
        joined = ",".join(
            f"{name}={_escape(value, _ESCAPED_IN_PROPERTIES)}" for name, value in properties.items()
        )
        return f"::error {joined}::{_escape(self.message, _ESCAPED)}"


def _escape(text: str, escaped: dict[str, str]) -> str:
    return "".join(escaped.get(character, character) for character in text)
