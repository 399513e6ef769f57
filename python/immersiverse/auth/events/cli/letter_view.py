"""Dead letters on a screen and as JSON."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from immersiverse.auth.events.cli.moments import written
from immersiverse.auth.events.errors import DecodeError
from immersiverse.auth.events.operations.dead_letters import original_headers
from immersiverse.auth.events.printable import printable
from immersiverse.auth.events.serialization.text import event_line, hexdump

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from immersiverse.auth.events.operations.dead_letters import DeadLetter
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

_NARROW = 100  # columns under which a table of letters cannot be read any more
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
        "stub": letter.is_stub,
        "originalSize": letter.original_size if letter.is_stub else None,
        "originalSha256": letter.original_sha256 or None,
    }


def drawn(letters: Sequence[DeadLetter], width: int) -> RenderableType:
    """Letters for a screen of a width: a row each, or some lines each where rows would be too narrow."""
    return table(letters) if width >= _NARROW else Group(*(_block(letter) for letter in letters))


def table(letters: Sequence[DeadLetter]) -> Table:
    """Letters, one a row."""
    rows = Table(box=SIMPLE_HEAD)
    for name in ("Id", "Put aside", "From", "User", "Error"):
        rows.add_column(name, overflow="fold", no_wrap=name in ("Id", "Put aside"))
    for name in ("Attempts", "Redrives"):
        rows.add_column(name, justify="right")
    for letter in letters:
        rows.add_row(
            str(letter.id),
            written(letter.timestamp),
            Text(_origin(letter)),
            Text(printable(letter.user)),
            Text(_error(letter)),
            str(letter.attempts),
            str(letter.redrives),
        )
    return rows


def _block(letter: DeadLetter) -> Text:
    rounds = f"{letter.attempts} attempts, {letter.redrives} redrives"
    return Text(
        f"{letter.id}  {written(letter.timestamp)}  {printable(letter.user)}\n"
        f"  from {_origin(letter)}, {rounds}\n"
        f"  {_error(letter)}\n"
    )


def _origin(letter: DeadLetter) -> str:
    return printable(letter.origin) or "?"


def _error(letter: DeadLetter) -> str:
    stub = f"stub of {letter.original_size:,} bytes; " if letter.is_stub else ""
    return printable(f"{stub}{letter.error_name}: {_cut(letter.reason)}")


def whole(letter: DeadLetter, deserializer: AuthEventDeserializer) -> dict[str, Any]:
    """Everything about a letter, as JSON."""
    document = {
        **facts(letter),
        "stackTrace": letter.stack_trace,
        "key": _text(letter.key),
        "headers": [(name, _text(value)) for name, value in original_headers(letter.headers)],
        "valueBase64": None,
    }
    if letter.is_stub:
        return document
    if letter.value is not None:
        document["valueBase64"] = base64.b64encode(letter.value).decode()
    try:
        document["event"] = orjson.Fragment(_event(letter, deserializer))
    except DecodeError as error:
        document["unreadable"] = f"{type(error).__name__}: {error}"
    return document


def lines(letter: DeadLetter, deserializer: AuthEventDeserializer) -> Iterator[str]:
    """Everything about a letter, for people."""
    for name, value in facts(letter).items():
        if value is not None:
            yield f"{name:<14} {_shown(value)}"
    yield f"{'key':<14} {_shown(_text(letter.key))}"
    yield from ("", "headers")
    for name, value in original_headers(letter.headers):
        yield f"  {printable(name)}: {_shown(_text(value))}"
    yield from _stub_lines(letter) if letter.is_stub else _value_lines(letter, deserializer)
    if letter.stack_trace:
        yield from ("", "stack trace", *(printable(line) for line in letter.stack_trace.splitlines()))


def _stub_lines(letter: DeadLetter) -> Iterator[str]:
    yield ""
    yield f"value: not here, its {letter.original_size:,} bytes were too large for the dead letter topic"
    yield f"  the original is {_origin(letter)}, until that topic's retention ends"


def _value_lines(letter: DeadLetter, deserializer: AuthEventDeserializer) -> Iterator[str]:
    yield from ("", "event")
    try:
        document = orjson.loads(_event(letter, deserializer))
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
        yield from printable(text, lines=True).split("\n")
    except DecodeError as error:
        yield f"  cannot be read: {type(error).__name__}: {printable(str(error))}"
    yield from ("", "value" if letter.value is not None else "value: none, a tombstone")
    yield from hexdump(letter.value or b"")


def _event(letter: DeadLetter, deserializer: AuthEventDeserializer) -> bytes:
    headers = original_headers(letter.headers)
    return event_line(deserializer.deserialize(letter.value, headers=headers, key=letter.key))


def _cut(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= _REASON else f"{line[: _REASON - 3]}..."


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def _shown(value: object) -> str:
    return printable(str(value))
