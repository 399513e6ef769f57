"""A dead letter: the message, where it came from, why its consumer gave up on it, and its marker. Pure.

Header names and binary numbers are Spring Kafka's (``KafkaHeaders.DLT_*``), as `kafka.dead_letters` writes
them, so dead letters written by Spring are read as well.

A marker records that a dead letter was redriven. It is a message that follows its dead letter in the same
partition, so retention deletes the dead letter first. Committed offsets could not do this: they cannot skip
single messages that a filter left out, and Kafka deletes those of an idle group after a week.

A message may claim to be a marker: its producer chose its key and headers, and a consumer that cannot process
it copies both to the dead letter topic. So a marker counts only in the partition of its dead letter and after
it, and only without the header for the original topic, which every dead letter has. Forgery by a client that
may write to the dead letter topic itself cannot be detected, nor can dead letters of a foreign consumer that
copies messages without that header.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from immersiverse.auth.events.kafka import dead_letters
from immersiverse.auth.events.kafka.dead_letters import (
    ATTEMPTS_HEADER,
    DIGEST_HEADER,
    MARKER_HEADER,
    ORIGINAL_TOPIC_HEADER,
    PREFIX,
    REDRIVES_HEADER,
    STUB_HEADER,
)
from immersiverse.auth.events.serialization.headers import headers_of

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.record import Record

Headers = tuple[tuple[str, bytes | None], ...]

_SUBJECT_HEADER: Final = "ce_subject"
_NUMBER_SIZES: Final = (4, 8)  # bytes of Java's int and long
_MAX_DIGITS: Final = 18  # those of a long; a header may claim more
_MARKER_KEY: Final = f"{MARKER_HEADER}/".encode()


class DeadLetterId(NamedTuple):
    """Where a dead letter is in the dead letter topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> DeadLetterId | None:
        """The id in ``0-12`` or ``auth.events.dlq-0-12``; None if the text is neither."""
        parts = text.rsplit("-", 2)[-2:]
        valid = len(parts) == len(cls._fields) and all(part.isascii() and part.isdigit() for part in parts)
        return cls(int(parts[0]), int(parts[1])) if valid else None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a consumer could not process.

    Attributes:
        id: where it is in the dead letter topic.
        timestamp: when it was written there, in milliseconds since 1970 in UTC; -1 if Kafka does not say.
        key: the message's key, unchanged.
        value: the message's value, unchanged.
        headers: all headers, those that say why it is a dead letter included.
        topic: the topic that it came from; empty if no header says.
        partition: its partition there; -1 if no header says.
        offset: its offset there; -1 if no header says.
        group: the consumer group that could not process it.
        error: the full name of the error's class.
        reason: the error's message.
        stack_trace: the error's stack trace.
        attempts: how often its handler was called; 0 if it could not be decoded, or no header says.
        redrives: how often it had been redriven when it was written.
        is_stub: whether its value was left out because it was too large for the dead letter topic; the
            original is in the topic that it came from until that topic's retention ends.
        original_size: bytes of the value that a stub lacks; -1 if no header says, or there was none.
        original_sha256: that value's SHA-256 in hexadecimal; empty if no header says.
    """

    id: DeadLetterId
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
        """Topic, partition and offset that it came from; empty if no header says."""
        return f"{self.topic}-{self.partition}-{self.offset}" if self.topic else ""

    @property
    def user(self) -> str:
        """The user, by the event's subject header, else by its key."""
        subject = dict(self.headers).get(_SUBJECT_HEADER)
        return (self.key or b"" if subject is None else subject).decode(errors="replace")

    @property
    def original_headers(self) -> Headers:
        """The headers of the message itself, without the count of redrives."""
        return tuple(dead_letters.original_headers(self.headers))


def read_dead_letter(record: Record) -> DeadLetter:
    """The dead letter in a message; what no header says is empty, -1 or 0."""
    headers = tuple(headers_of(record))
    last = dict(headers)  # the last of several with one name is the newest

    def text(name: str) -> str:
        return (last.get(name) or b"").decode(errors="replace")

    return DeadLetter(
        id=DeadLetterId(record.partition(), record.offset()),
        timestamp=record.timestamp()[1],
        key=record.key(),
        value=record.value(),
        headers=headers,
        topic=text(f"{PREFIX}original-topic"),
        partition=_number(last.get(f"{PREFIX}original-partition")),
        offset=_number(last.get(f"{PREFIX}original-offset")),
        group=text(f"{PREFIX}original-consumer-group"),
        error=text(f"{PREFIX}exception-fqcn"),
        reason=text(f"{PREFIX}exception-message"),
        stack_trace=text(f"{PREFIX}exception-stacktrace"),
        attempts=_count(last.get(ATTEMPTS_HEADER)),
        redrives=_count(last.get(REDRIVES_HEADER)),
        is_stub=STUB_HEADER in last,
        original_size=_count(last.get(STUB_HEADER), unknown=-1),
        original_sha256=text(DIGEST_HEADER),
    )


def _number(value: bytes | None) -> int:
    """A number in Java's binary form, or in digits; -1 if it is neither."""
    if value is not None and len(value) in _NUMBER_SIZES and not value.isdigit():
        return int.from_bytes(value, signed=True)
    return _count(value, unknown=-1)


def _count(value: bytes | None, *, unknown: int = 0) -> int:
    """A number in digits."""
    return int(value[:_MAX_DIGITS]) if value and value.isdigit() else unknown


def marker_for(dead_letter: DeadLetter, *, partition: int, offset: int) -> tuple[bytes, bytes, Headers]:
    """The marker of a dead letter that was sent to a partition of its topic, and got an offset there.

    Returns:
        The marker's key, with the dead letter's id, so that compaction keeps one for each dead letter; its
        value, JSON for people; and its headers. It belongs into the dead letter's partition.
    """
    name = str(dead_letter.id)
    sent = {
        "deadLetter": name,
        "topic": dead_letter.topic,
        "partition": partition,
        "offset": offset,
        "redrives": dead_letter.redrives + 1,
    }
    return _MARKER_KEY + name.encode(), orjson.dumps(sent), ((MARKER_HEADER, name.encode()),)


def redriven_id(record: Record) -> DeadLetterId | None:
    """The id of the dead letter that a marker names; None if the message is not a marker."""
    # The key decides for nearly all messages, without reading the many headers of a dead letter.
    key = record.key()
    if key is None or not key.startswith(_MARKER_KEY):
        return None
    headers = dict(headers_of(record))
    name = headers.get(MARKER_HEADER)
    if name is None or key != _MARKER_KEY + name or ORIGINAL_TOPIC_HEADER in headers:
        return None
    found = DeadLetterId.parse(name.decode(errors="replace"))
    if found is None or found.partition != record.partition() or found.offset >= record.offset():
        return None
    return found


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Accepts dead letters that match all criteria.

    Attributes:
        topic: the topic that they came from; any if empty.
        error: a part of the error's class name or message, case-insensitive; any if empty.
        user: the user; any if empty.
        group: the consumer group that could not process them; any if empty.
        since: written at this time or later, in milliseconds since 1970 in UTC.
        until: written before this time.
    """

    topic: str = ""
    error: str = ""
    user: str = ""
    group: str = ""
    since: int | None = None
    until: int | None = None

    def accepts(self, dead_letter: DeadLetter) -> bool:
        """Whether a dead letter matches."""
        return (
            (not self.topic or dead_letter.topic == self.topic)
            and (not self.user or dead_letter.user == self.user)
            and (not self.group or dead_letter.group == self.group)
            and self.error.lower() in f"{dead_letter.error}\n{dead_letter.reason}".lower()
            and (self.since is None or dead_letter.timestamp >= self.since)
            and (self.until is None or dead_letter.timestamp < self.until)
        )
