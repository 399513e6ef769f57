"""Dead letters, and counts of a redrive, on a terminal and as JSON."""

from __future__ import annotations

import base64
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Final

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from immersiverse.auth.events.admin.dead_letters.redrive import RedriveStatus
from immersiverse.auth.events.cli.options.time import format_time
from immersiverse.auth.events.cli.output import warn, write_json
from immersiverse.auth.events.errors import DecodeError, InvalidEvent
from immersiverse.auth.events.printable import printable
from immersiverse.auth.events.serialization.text import event_line, hexdump

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetter
    from immersiverse.auth.events.admin.dead_letters.redrive import RedriveCounts, RedriveResult
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

_NARROW: Final = 100  # columns; below, a table is unreadable
_MAX_REASON: Final = 60  # characters of an error's message in a table
_REASONS_SHOWN: Final = 10  # of dead letters that stay, one line each
_STATUSES: Final = {
    RedriveStatus.DONE: "redriven before",
    RedriveStatus.FILTERED: "left out by the filter",
    RedriveStatus.MAX_REDRIVES: "redriven too often already",
    RedriveStatus.NO_ORIGIN_TOPIC: "without a topic to go to",
    RedriveStatus.NO_GROUP: "without a group to go to",
    RedriveStatus.STUB: "without their value",
    RedriveStatus.FAILED: "refused by their topic",
}


def facts(dead_letter: DeadLetter) -> dict[str, Any]:
    """What a list shows of a dead letter, as JSON."""
    return {
        "id": str(dead_letter.id),
        "deadAt": format_time(dead_letter.timestamp),
        "topic": dead_letter.topic,
        "partition": dead_letter.partition,
        "offset": dead_letter.offset,
        "user": dead_letter.user,
        "group": dead_letter.group,
        "error": dead_letter.error,
        "reason": dead_letter.reason,
        "attempts": dead_letter.attempts,
        "redrives": dead_letter.redrives,
        "stub": dead_letter.is_stub,
        "originalSize": dead_letter.original_size if dead_letter.is_stub else None,
        "originalSha256": dead_letter.original_sha256 or None,
    }


def drawn(dead_letters: Sequence[DeadLetter], width: int) -> RenderableType:
    """Dead letters for a screen: a row each, or on a narrow one four lines each."""
    return _table(dead_letters) if width >= _NARROW else Group(*map(_block, dead_letters))


def _table(dead_letters: Sequence[DeadLetter]) -> Table:
    rows = Table(box=SIMPLE_HEAD)
    for name in ("Id", "Dead since", "From", "User", "Error"):
        rows.add_column(name, overflow="fold", no_wrap=name in ("Id", "Dead since"))
    for name in ("Attempts", "Redrives"):
        rows.add_column(name, justify="right")
    for each in dead_letters:
        origin = f"{_origin(each)}\n{printable(each.group)}"
        texts = (Text(origin), Text(printable(each.user)), Text(_error(each)))
        rows.add_row(
            str(each.id), format_time(each.timestamp), *texts, str(each.attempts), str(each.redrives)
        )
    return rows


def _block(each: DeadLetter) -> Text:
    counts = f"{each.attempts} attempts, {each.redrives} redrives"
    return Text(
        f"{each.id}  {format_time(each.timestamp)}  {printable(each.user)}\n"
        f"  from {_origin(each)}\n"
        f"  group {printable(each.group) or '?'}, {counts}\n"
        f"  {_error(each)}\n"
    )


def _origin(dead_letter: DeadLetter) -> str:
    return printable(dead_letter.origin) or "?"


def _error(dead_letter: DeadLetter) -> str:
    stub = f"stub of {dead_letter.original_size:,} bytes; " if dead_letter.is_stub else ""
    reason = shorten(dead_letter.reason, _MAX_REASON, placeholder=" ...")
    return printable(f"{stub}{dead_letter.error_name}: {reason}")


def whole(dead_letter: DeadLetter, deserializer: AuthEventDeserializer) -> dict[str, Any]:
    """Everything about a dead letter, as JSON."""
    document = {
        **facts(dead_letter),
        "stackTrace": dead_letter.stack_trace,
        "key": _text(dead_letter.key),
        "headers": [(name, _text(value)) for name, value in dead_letter.original_headers],
        "valueBase64": None,
    }
    if dead_letter.is_stub:
        return document
    if dead_letter.value is not None:
        document["valueBase64"] = base64.b64encode(dead_letter.value).decode()
    try:
        document["event"] = orjson.Fragment(_event(dead_letter, deserializer))
    except (DecodeError, InvalidEvent) as error:
        document["unreadable"] = f"{type(error).__name__}: {error}"
    return document


def lines(dead_letter: DeadLetter, deserializer: AuthEventDeserializer) -> Iterator[str]:
    """Everything about a dead letter, for people."""
    for name, value in facts(dead_letter).items():
        if value is not None:
            yield f"{name:<14} {_shown(value)}"
    yield f"{'key':<14} {_shown(_text(dead_letter.key))}"
    yield from ("", "headers")
    for name, value in dead_letter.original_headers:
        yield f"  {printable(name)}: {_shown(_text(value))}"
    yield from _stub_lines(dead_letter) if dead_letter.is_stub else _value_lines(dead_letter, deserializer)
    if dead_letter.stack_trace:
        yield from ("", "stack trace", *(printable(line) for line in dead_letter.stack_trace.splitlines()))


def _stub_lines(dead_letter: DeadLetter) -> Iterator[str]:
    size = f"{dead_letter.original_size:,}"
    yield ""
    yield f"value: left out, its {size} bytes were too large for the dead letter topic"
    yield f"  the original is {_origin(dead_letter)}, until that topic's retention ends"


def _value_lines(dead_letter: DeadLetter, deserializer: AuthEventDeserializer) -> Iterator[str]:
    yield from ("", "event")
    try:
        document = orjson.loads(_event(dead_letter, deserializer))
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
        yield from printable(text, lines=True).split("\n")
    except DecodeError as error:
        yield f"  cannot be decoded: {type(error).__name__}: {printable(str(error))}"
    except InvalidEvent as error:
        yield f"  cannot be shown: {printable(str(error))}"
    yield from ("", "value" if dead_letter.value is not None else "value: none, a tombstone")
    yield from hexdump(dead_letter.value or b"")


def _event(dead_letter: DeadLetter, deserializer: AuthEventDeserializer) -> bytes:
    headers = dead_letter.original_headers
    return event_line(deserializer.deserialize(dead_letter.value, headers=headers, key=dead_letter.key))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def _shown(value: object) -> str:
    return printable(str(value))


def sentence(counts: RedriveCounts, verb: str) -> str:
    """The counts of a redrive in a sentence."""
    rest = [
        f"{counts.statuses[status]} {text}" for status, text in _STATUSES.items() if counts.statuses[status]
    ]
    return f"dead letters: {', '.join([f'{counts.statuses[RedriveStatus.REDRIVE]} {verb} back', *rest])}"


def report(counts: RedriveCounts, verb: str, *, as_json: bool) -> None:
    """Write the counts of a redrive."""
    if as_json:
        write_json({status.value: counts.statuses[status] for status in RedriveStatus})
    else:
        warn(sentence(counts, verb))


def is_reported(result: RedriveResult, counts: RedriveCounts) -> bool:
    """Whether a result gets a line: all failures do, and the first of those that have to stay."""
    explained = (RedriveStatus.NO_ORIGIN_TOPIC, RedriveStatus.NO_GROUP, RedriveStatus.STUB)
    staying = sum(counts.statuses[status] for status in explained)
    return bool(result.reason) and (result.status is RedriveStatus.FAILED or staying <= _REASONS_SHOWN)
