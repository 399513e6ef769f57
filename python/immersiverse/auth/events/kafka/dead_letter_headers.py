"""What a dead letter says about where it came from and why, and what it becomes where it is too large.

Names are Spring Kafka's (``KafkaHeaders.DLT_*``), numbers are binary as its own, so that its tools read them.
"""

from __future__ import annotations

import hashlib
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE

from immersiverse.auth.events.serialization.headers import headers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from immersiverse.auth.events.kafka.record import Record, RecordHeaders

PREFIX: Final = "kafka_dlt-"
ORIGINAL_TOPIC_HEADER: Final = f"{PREFIX}original-topic"
ATTEMPTS_HEADER: Final = "auth-events-attempts"
REDRIVES_HEADER: Final = "auth-events-redrives"
MARKER_HEADER: Final = "auth-events-redriven"
"""Names a dead letter that was sent back; only markers have it."""
STUB_HEADER: Final = "auth-events-stub"
"""The bytes of the value that a stub lacks, in digits; ``-1`` if the message had no value."""
DIGEST_HEADER: Final = "auth-events-value-sha256"
"""The SHA-256 of that value, in hexadecimal."""

MAX_TEXT: Final = 8192
"""Bytes of an error's message or of a stack trace."""
MAX_STUB_TEXT: Final = 1024
"""Bytes of an error's message in a stub."""
MAX_STUB_KEY: Final = 1024
"""Bytes of a key that a stub keeps; a longer one is left out."""
MAX_STUB_HEADERS: Final = 2048
"""Bytes of all headers of a message that a stub keeps, with their lengths; more are left out."""

_TIMESTAMP_TYPES: Final = {1: b"CreateTime", 2: b"LogAppendTime"}
_MESSAGE: Final = f"{PREFIX}exception-message"
_TRACE: Final = f"{PREFIX}exception-stacktrace"
_OURS: Final = (ATTEMPTS_HEADER, REDRIVES_HEADER, MARKER_HEADER, STUB_HEADER, DIGEST_HEADER)
_LENGTHS: Final = 4  # bytes of the two lengths that each short header has
_MAX_COUNT = 4  # digits of a count of redrives that is believed


@dataclass(frozen=True, slots=True)
class Form:
    """A message as it is put on the dead letter topic.

    Attributes:
        key: its key.
        value: its value; empty in a stub, since no value at all would delete what a compacted topic has
            under the key, should another tool send the stub on.
        headers: its own headers, then those of a dead letter.
        is_stub: whether its value, and what else was too large, is left out.
    """

    key: bytes | None
    value: bytes | None
    headers: RecordHeaders
    is_stub: bool = False


def forms(record: Record, error: BaseException, attempts: int, group: str) -> Iterator[Form]:
    """A dead letter whole, then without message and stack trace, then a stub without the value.

    Args:
        record: the message that could not be processed.
        error: why.
        attempts: how often its handler was tried; 0 if it could not be read.
        group: the consumer group that could not.
    """
    own = [*original_headers(headers_of(record)), *_count_of_redrives(record)]
    said = dead_letter_headers(record, error, attempts, group)
    yield Form(record.key(), record.value(), [*own, *said])
    lean = [header for header in said if header[0] not in (_MESSAGE, _TRACE)]
    yield Form(record.key(), record.value(), [*own, *lean])
    short = (dict(said)[_MESSAGE] or b"")[:MAX_STUB_TEXT]
    yield _stub(record, own, [(_MESSAGE, short), *lean])


def dead_letter_headers(record: Record, error: BaseException, attempts: int, group: str) -> RecordHeaders:
    """The headers that a dead letter gets after its own; for the arguments see `forms`."""
    kind, milliseconds = record.timestamp()
    told = traceback.TracebackException.from_exception(error)  # which survives errors that cannot be told
    trace = "".join(told.format()).encode(errors="replace")
    headers: RecordHeaders = [
        (ORIGINAL_TOPIC_HEADER, record.topic().encode()),
        (f"{PREFIX}original-partition", record.partition().to_bytes(4, "big", signed=True)),
        (f"{PREFIX}original-offset", record.offset().to_bytes(8, "big", signed=True)),
        (f"{PREFIX}original-consumer-group", group.encode()),
        (f"{PREFIX}exception-fqcn", f"{type(error).__module__}.{type(error).__qualname__}".encode()),
        (_MESSAGE, str(told).encode(errors="replace")[:MAX_TEXT]),
        (_TRACE, trace[-MAX_TEXT:]),  # its end says most
        (ATTEMPTS_HEADER, str(attempts).encode()),
    ]
    if kind != TIMESTAMP_NOT_AVAILABLE:
        headers.append((f"{PREFIX}original-timestamp", milliseconds.to_bytes(8, "big", signed=True)))
        headers.append((f"{PREFIX}original-timestamp-type", _TIMESTAMP_TYPES.get(kind, b"")))
    return headers


def original_headers(headers: Iterable[tuple[str, bytes | None]]) -> RecordHeaders:
    """The headers without any that a dead letter, a redrive or a marker has.

    A message that is dead-lettered may come with such headers: it was redriven, or its writer made them up.
    They must not survive beside the true ones.
    """
    return [header for header in headers if not header[0].startswith(PREFIX) and header[0] not in _OURS]


def _count_of_redrives(record: Record) -> RecordHeaders:
    """How often a message was redriven, as its header claims.

    A consumer cannot know whether the claim is true: a redrive writes it with the same right as any writer
    of the topic. It is about this one message: a false one makes a redrive leave the message where it is,
    as worn out, or send it back some times more. Only a single small number is believed.
    """
    claims = [value for name, value in headers_of(record) if name == REDRIVES_HEADER]
    plausible = len(claims) == 1 and claims[0] and claims[0].isdigit() and len(claims[0]) <= _MAX_COUNT
    return [(REDRIVES_HEADER, claims[0])] if plausible else []


def _stub(record: Record, own: RecordHeaders, said: RecordHeaders) -> Form:
    key, value = record.key(), record.value()
    size = sum(len(name.encode()) + len(content or b"") + _LENGTHS for name, content in own)
    stub: RecordHeaders = [(STUB_HEADER, b"-1" if value is None else str(len(value)).encode())]
    if value is not None:
        stub.append((DIGEST_HEADER, hashlib.sha256(value).hexdigest().encode()))
    return Form(
        key if key is None or len(key) <= MAX_STUB_KEY else None,
        b"",
        [*(own if size <= MAX_STUB_HEADERS else ()), *said, *stub],
        is_stub=True,
    )
