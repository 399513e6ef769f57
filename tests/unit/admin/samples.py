"""Dead letters for tests."""

from __future__ import annotations

from typing import Any, cast

from confluent_kafka import Message

from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetter, read_dead_letter
from immersiverse.auth.events.kafka.record import Record

PREFIX = "kafka_dlt-"


def message(  # noqa: PLR0913 - what a message has, by keyword
    *,
    headers: list[tuple[str, bytes | None]] | None = None,
    key: bytes | None = b"user-1",
    value: bytes | None = b"\x00v",
    offset: int = 12,
    partition: int = 0,
    at: int = 1_000,
) -> Message:
    """A message as a consumer returns it."""
    return Message(
        topic="dlq",
        partition=partition,
        offset=offset,
        key=key,
        value=value,
        headers=list[tuple[str, str | bytes | None]](headers or ()),
        timestamp=(1, at),
    )


def dead_letter_headers(topic: str = "auth.events.login", **more: bytes) -> list[tuple[str, bytes | None]]:
    """The headers that a consumer adds to a dead letter."""
    headers: dict[str, bytes] = {
        f"{PREFIX}original-topic": topic.encode(),
        f"{PREFIX}original-partition": (3).to_bytes(4, signed=True),
        f"{PREFIX}original-offset": (5_000_000_000).to_bytes(8, signed=True),
        f"{PREFIX}original-consumer-group": b"analytics",
        f"{PREFIX}exception-fqcn": b"builtins.TimeoutError",
        f"{PREFIX}exception-message": b"geo lookup took 5 s",
        f"{PREFIX}exception-stacktrace": b"Traceback ...",
        "auth-events-attempts": b"5",
    }
    return [*headers.items(), *((name.replace("_", "-"), value) for name, value in more.items())]


def dead_letter(**parts: Any) -> DeadLetter:
    """A dead letter whose handler timed out."""
    parts.setdefault("headers", dead_letter_headers())
    return read_dead_letter(cast("Record", message(**parts)))
