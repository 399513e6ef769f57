"""A dead letter read back: what it was, where it came from, why it is here. Pure.

Source: header names and binary numbers are Spring Kafka's (``KafkaHeaders.DLT_*``), as kafka/dead_letters
writes them; letters that Spring wrote are read, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.kafka import dead_letters
from immersiverse.auth.events.kafka.dead_letters import (
    ATTEMPTS_HEADER,
    DIGEST_HEADER,
    PREFIX,
    REDRIVES_HEADER,
    STUB_HEADER,
)
from immersiverse.auth.events.serialization import received

if TYPE_CHECKING:
    from confluent_kafka import Message

Headers = tuple[tuple[str, bytes | None], ...]

_SUBJECT_HEADER: Final = "ce_subject"
_NUMBER_SIZES: Final = (4, 8)  # bytes of Java's int and long
_DIGITS: Final = 18  # what a long can hold; a header may claim to hold more


@dataclass(frozen=True, slots=True)
class LetterId:
    """A dead letter's name: where it lies.

    Attributes:
        partition: its partition of the dead letter topic.
        offset: its offset there.
    """

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> LetterId | None:
        """The id in ``0-12`` or ``auth.events.dlq-0-12``; None if there is none."""
        parts = text.rsplit("-", 2)[-2:]
        whole = len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts)  # noqa: PLR2004 - as named
        return cls(int(parts[0]), int(parts[1])) if whole else None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a consumer could not process.

    Attributes:
        id: where it lies.
        timestamp: when it was put there, in milliseconds since 1970 in UTC; -1 if Kafka does not say.
        key: the message's key, untouched.
        value: the message's value, untouched.
        headers: all its headers, those about its death included.
        topic: where it came from; empty if no header says.
        partition: its partition there; -1 if no header says.
        offset: its offset there; -1 if no header says.
        group: the consumer group that could not process it.
        error: the full name of the error's class.
        reason: the error's message.
        stack_trace: where it was raised.
        attempts: how often its handler was tried; 0 if it could not be read, or no header says.
        redrives: how often it was sent back to its topic before it came here.
        is_stub: whether its value is left out since the dead letter topic found it too large; the original
            is where it came from until that topic's retention ends.
        original_size: bytes of the value that a stub lacks; -1 if no header says, or there was none.
        original_sha256: that value's SHA-256 in hexadecimal; empty if no header says.
    """

    id: LetterId
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    topic: str
    partition: int
    offset: int
    group: str
    error: str
    reason: str
    stack_trace: str
    attempts: int
    redrives: int
    is_stub: bool
    original_size: int
    original_sha256: str

    @property
    def error_name(self) -> str:
        """The last part of the error's class name."""
        return self.error.rpartition(".")[2]

    @property
    def origin(self) -> str:
        """Where it came from: topic, partition and offset; empty if no header says."""
        return f"{self.topic}-{self.partition}-{self.offset}" if self.topic else ""

    @property
    def user(self) -> str:
        """Whose event it was, as far as its headers or its key tell."""
        subject = last_header(self.headers, _SUBJECT_HEADER)
        return (self.key or b"" if subject is None else subject).decode(errors="replace")


def read_letter(message: Message) -> DeadLetter:
    """The dead letter in a message; what no header says is empty, -1 or 0."""
    headers = headers_of(message)
    last = dict(headers)  # of several with one name the last is the newest

    def text(name: str) -> str:
        return (last.get(f"{PREFIX}{name}") or b"").decode(errors="replace")

    def number(name: str) -> int:
        return _number(last.get(f"{PREFIX}{name}"))

    return DeadLetter(
        id=LetterId(message.partition() or 0, message.offset() or 0),
        timestamp=message.timestamp()[1],
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers=headers,
        topic=text("original-topic"),
        partition=number("original-partition"),
        offset=number("original-offset"),
        group=text("original-consumer-group"),
        error=text("exception-fqcn"),
        reason=text("exception-message"),
        stack_trace=text("exception-stacktrace"),
        attempts=_count(last.get(ATTEMPTS_HEADER)),
        redrives=_count(last.get(REDRIVES_HEADER)),
        is_stub=STUB_HEADER in last,
        original_size=_count(last.get(STUB_HEADER), unknown=-1),
        original_sha256=(last.get(DIGEST_HEADER) or b"").decode(errors="replace"),
    )


def original_headers(headers: Headers) -> Headers:
    """The headers that a message had before it died, without the count of its redrives."""
    return tuple(dead_letters.original_headers(headers))


def headers_of(message: Message) -> Headers:
    """A message's headers as bytes."""
    found: Any = received.headers_of(message)  # a list, whatever else Confluent's types allow
    return tuple((name, _bytes(value)) for name, value in found)


def last_header(headers: Headers, name: str) -> bytes | None:
    """The last header of a name, which is the newest; None if there is none."""
    return next((value for found, value in reversed(headers) if found == name), None)


def _number(value: bytes | None) -> int:
    """A number in Java's binary form, or in digits; -1 if it is neither."""
    if value is not None and len(value) in _NUMBER_SIZES and not value.isdigit():
        return int.from_bytes(value, signed=True)
    return _count(value, unknown=-1)


def _count(value: bytes | None, *, unknown: int = 0) -> int:
    """A number in digits."""
    return int(value[:_DIGITS]) if value and value.isdigit() else unknown


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
