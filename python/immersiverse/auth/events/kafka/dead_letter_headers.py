"""What a dead letter says about where it came from and why.

Names are Spring Kafka's (``KafkaHeaders.DLT_*``), numbers are binary as its own, so that its tools read them.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.record import Record, RecordHeaders

PREFIX: Final = "kafka_dlt-"
ATTEMPTS_HEADER: Final = "auth-events-attempts"
REDRIVES_HEADER: Final = "auth-events-redrives"

_TIMESTAMP_TYPES: Final = {1: b"CreateTime", 2: b"LogAppendTime"}
_MAX_TEXT = 8192  # bytes of a text; a header is no place for a novel
_TEXTS = (f"{PREFIX}exception-message", f"{PREFIX}exception-stacktrace")


def dead_letter_headers(record: Record, error: BaseException, attempts: int, group: str) -> RecordHeaders:
    """The headers that a dead letter gets after its own.

    Args:
        record: the message that could not be processed.
        error: why.
        attempts: how often its handler was tried; 0 if it could not be read.
        group: the consumer group that could not.
    """
    kind, milliseconds = record.timestamp()
    told = traceback.TracebackException.from_exception(error)  # which survives errors that cannot be told
    trace = "".join(told.format()).encode(errors="replace")
    headers: RecordHeaders = [
        (f"{PREFIX}original-topic", record.topic().encode()),
        (f"{PREFIX}original-partition", record.partition().to_bytes(4, "big", signed=True)),
        (f"{PREFIX}original-offset", record.offset().to_bytes(8, "big", signed=True)),
        (f"{PREFIX}original-consumer-group", group.encode()),
        (f"{PREFIX}exception-fqcn", f"{type(error).__module__}.{type(error).__qualname__}".encode()),
        (f"{PREFIX}exception-message", str(told).encode(errors="replace")[:_MAX_TEXT]),
        (f"{PREFIX}exception-stacktrace", trace[-_MAX_TEXT:]),  # its end says most
        (ATTEMPTS_HEADER, str(attempts).encode()),
    ]
    if kind != TIMESTAMP_NOT_AVAILABLE:
        headers.append((f"{PREFIX}original-timestamp", milliseconds.to_bytes(8, "big", signed=True)))
        headers.append((f"{PREFIX}original-timestamp-type", _TIMESTAMP_TYPES.get(kind, b"")))
    return headers


def without_texts(headers: RecordHeaders) -> RecordHeaders:
    """The same without message and stack trace, for a topic that takes no more."""
    return [header for header in headers if header[0] not in _TEXTS]
