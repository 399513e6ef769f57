"""A request and its answer, free of sockets, and the reading of what a client may have sent."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote_to_bytes

from immersiverse.auth.events.embedded.registry.nesting import shallow_json
from immersiverse.auth.events.embedded.registry.refusals import Refusal, invalid_subject, invalid_version
from immersiverse.auth.events.embedded.registry.store import LATEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from immersiverse.auth.events.embedded.registry.records import JSON

LARGEST_NUMBER = 2**31 - 1
DEFAULT_CONTEXT, EVERY_CONTEXT = ":.:", ":*:"
NO_SUBJECTS = {"", "__GLOBAL", "__EMPTY"}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a status, a body, and the methods allowed if the one used was not."""

    status: int
    body: bytes
    allow: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is a schema itself, not JSON around it."""

    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request after routing.

    Attributes:
        path: the values in the path by the names in the route's pattern, decoded.
        query: the query string.
        body: as it came.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: bytes = b""

    @property
    def subject(self) -> str:
        """The subject in the path.

        Raises:
            Refusal: 42208.
        """
        # Of the contexts that registries may have, this one has the default one, which needs no name.
        subject = self.path["subject"].removeprefix(DEFAULT_CONTEXT)
        if subject in NO_SUBJECTS or _CONTROL.search(subject):
            raise invalid_subject(subject)
        return subject

    @property
    def version(self) -> int:
        """The version in the path; ``latest`` and ``-1`` are `LATEST`.

        Raises:
            Refusal: 42202.
        """
        written = self.path["version"]
        if written.strip().lower() in {"latest", "-1"}:
            return LATEST
        number = _decimal(written)
        if not number:
            raise invalid_version(written)
        return number

    @property
    def schema_id(self) -> int:
        """The schema id in the path.

        Raises:
            Refusal: 404, as for a path that leads nowhere.
        """
        number = _decimal(self.path["id"])
        if number is None:
            raise Refusal(404, "HTTP 404 Not Found")
        return number

    def option(self, name: str) -> str:
        """The last value of a query parameter; empty if it is absent."""
        return self.options(name)[-1] if self.options(name) else ""

    def options(self, name: str) -> list[str]:
        """Every value of a query parameter.

        Raises:
            Refusal: 400, if it is not UTF-8.
        """
        try:
            return parse_qs(self.query, keep_blank_values=True, errors="strict").get(name, [])
        except ValueError as error:
            raise Refusal(400, f"The query cannot be read: {error}") from error

    @property
    def subject_prefix(self) -> str:
        """What the subjects asked for begin with, in whatever context."""
        return self.option("subjectPrefix").removeprefix(EVERY_CONTEXT).removeprefix(DEFAULT_CONTEXT)

    def flag(self, *names: str) -> bool:
        """Whether one of the parameters is true, in any case (Python's clients write ``True``)."""
        return any(self.option(name).lower() == "true" for name in names)

    def page(self, rows: Sequence[JSON]) -> list[JSON]:
        """The rows that ``offset`` and ``limit`` ask for; a limit that is not positive is none."""
        start, length = max(self._number("offset", 0), 0), self._number("limit", -1)
        return list(rows[start : start + length] if length > 0 else rows[start:])

    def json(self) -> dict[str, JSON]:
        """The body, which is a JSON object in every request that has one.

        Raises:
            Refusal: 400, if it is not.
        """
        try:
            value = shallow_json(self.body)
        except ValueError as error:
            raise Refusal(400, f"The body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise Refusal(400, "The body is not a JSON object")
        return value

    def _number(self, name: str, default: int) -> int:
        written = self.option(name)
        if not written:
            return default
        number = _decimal(written.removeprefix("-"))
        if number is None:
            raise Refusal(400, f"The query parameter {name} is not a number: {written!r}")
        return -number if written.startswith("-") else number


def _decimal(written: str) -> int | None:
    """A number of at most ten ASCII digits within Java's int, as registries have them."""
    if not (written.isascii() and written.isdigit() and len(written) <= len(str(LARGEST_NUMBER))):
        return None
    number = int(written)
    return number if number <= LARGEST_NUMBER else None


def segments(path: str) -> tuple[str, ...]:
    """The parts of a raw path, decoded after splitting, since a subject may hold an encoded slash.

    Raises:
        Refusal: 400, if a part is not UTF-8.
    """
    try:
        return tuple(unquote_to_bytes(part).decode() for part in path.strip("/").split("/"))
    except ValueError as error:
        raise Refusal(400, "The path is not UTF-8") from error


def answer(value: object, status: int = 200) -> Answer:
    """The endpoint's value as an answer; a `Raw` one as it is."""
    text = value.text if isinstance(value, Raw) else json.dumps(value, separators=(",", ":"))
    return Answer(status, text.encode())


def refused(refusal: Refusal) -> Answer:
    """A refusal as every client expects it."""
    return answer({"error_code": refusal.code, "message": refusal.message}, refusal.status)
