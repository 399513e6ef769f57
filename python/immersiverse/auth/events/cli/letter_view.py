"""Dead letters on a screen and as JSON."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from immersiverse.auth.events.cli.hexdump import hexdump
from immersiverse.auth.events.cli.json_events import show_event
from immersiverse.auth.events.cli.moments import written
from immersiverse.auth.events.errors import DecodeError
from immersiverse.auth.events.operations.dead_letters import original_headers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.operations.dead_letters import DeadLetter
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

_REASON = 60  # characters of an error's message in a table


def facts(letter: DeadLetter) -> dict[str, Any]:
    """What a list says of a letter."""
    return {
        "id": str(letter.id),
        "deadAt": written(letter.timestamp),
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "user": letter.user,
        "group": letter.group,
        "error": letter.error,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "redrives": letter.redrives,
    }


def table(letters: Sequence[DeadLetter]) -> Table:
    """Letters, one a row."""
    drawn = Table(box=SIMPLE_HEAD)
    for name in ("Id", "Put aside", "From", "User", "Error"):
        drawn.add_column(name, overflow="fold", no_wrap=name in ("Id", "Put aside"))
    for name in ("Attempts", "Redrives"):
        drawn.add_column(name, justify="right")
    for letter in letters:
        drawn.add_row(
            str(letter.id),
            written(letter.timestamp),
            f"{letter.topic}-{letter.partition}-{letter.offset}" if letter.topic else "?",
            Text(letter.user),
            Text(f"{letter.error_name}: {_cut(letter.reason)}"),
            str(letter.attempts),
            str(letter.redrives),
        )
    return drawn


def whole(letter: DeadLetter, deserializer: AuthEventDeserializer) -> dict[str, Any]:
    """Everything about a letter, as JSON."""
    document = {
        **facts(letter),
        "stackTrace": letter.stack_trace,
        "key": _text(letter.key),
        "headers": [(name, _text(value)) for name, value in original_headers(letter.headers)],
        "valueBase64": None if letter.value is None else base64.b64encode(letter.value).decode(),
    }
    try:
        document["event"] = orjson.Fragment(_event(letter, deserializer))
    except DecodeError as error:
        document["unreadable"] = f"{type(error).__name__}: {error}"
    return document


def lines(letter: DeadLetter, deserializer: AuthEventDeserializer) -> Iterator[str]:
    """Everything about a letter, for people."""
    for name, value in facts(letter).items():
        yield f"{name:<10} {value}"
    yield f"{'key':<10} {_text(letter.key)}"
    yield from ("", "headers")
    yield from (f"  {name}: {_text(value)}" for name, value in original_headers(letter.headers))
    yield from ("", "event")
    try:
        document = orjson.loads(_event(letter, deserializer))
        yield from orjson.dumps(document, option=orjson.OPT_INDENT_2).decode().splitlines()
    except DecodeError as error:
        yield f"  cannot be read: {type(error).__name__}: {error}"
    yield from ("", "value" if letter.value is not None else "value: none, a tombstone")
    yield from hexdump(letter.value or b"")
    if letter.stack_trace:
        yield from ("", "stack trace", *letter.stack_trace.splitlines())


def _event(letter: DeadLetter, deserializer: AuthEventDeserializer) -> bytes:
    headers = original_headers(letter.headers)
    return show_event(deserializer.deserialize(letter.value, headers=headers, key=letter.key))


def _cut(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= _REASON else f"{line[: _REASON - 3]}..."


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")
