"""auth-events tail."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import typer
from typer import Option

from immersiverse.auth.events.cli.options.events import PersonalDataClass, find_event_type
from immersiverse.auth.events.cli.options.kafka import KafkaOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.options.registry import RegistryOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.options.time import TIME_HELP, milliseconds_of
from immersiverse.auth.events.cli.output import (
    BROKEN_PIPE,
    VERDICT,
    discard_output,
    stdout_closed,
    warn,
    write_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.admin.offset_reset import ResetTarget
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.privacy import Redaction

_BEGINNING, _END = "beginning", "end"


def tail(
    *,
    kafka: KafkaOptions,
    registry: RegistryOptions,
    topic: list[str] | None = Option(
        None, "--topic", "-t", metavar="TOPIC", help="Only this topic; repeat it. By default the contract's."
    ),
    type: list[str] | None = Option(  # noqa: A002 - the option's name
        None, "--type", metavar="EVENT", help="Only events of this type; may be repeated."
    ),
    user: str = Option(
        "", "--user", metavar="ID", help="Only events of this user, by user id or message key."
    ),
    start: str = Option(
        "",
        "--from",
        metavar="beginning|end|TIME",
        help=f"Where to start; a time {TIME_HELP}; by default the end, or all with --no-follow.",
    ),
    follow: bool = Option(
        True, "--follow/--no-follow", help="Wait for new events, or stop at the current end."
    ),
    count: int | None = Option(
        None, "--count", "-n", metavar="N", min=1, help="Stop after this many events."
    ),
    redact: PersonalDataClass | None = Option(
        None, "--redact", help="Withhold personal data of this class and of more sensitive ones."
    ),
    headers: bool = Option(
        False, "--headers", help="Also show topic, partition, offset, time, key and headers."
    ),
) -> None:
    """Show events as they arrive, one JSON object per line.

    Joins no consumer group and commits nothing, so consumers are not affected. Events of one partition are
    in order. Messages that cannot be decoded are reported on standard error.

    Exit codes: 0 done, 1 no such topic, or --no-follow found messages that cannot be decoded, 2 wrong use,
    3 no connection, 130 interrupted, 141 the reader of the output closed it.
    """
    from immersiverse.auth.events.admin.tail import EventFilter, read_tail
    from immersiverse.auth.events.cli.views.records import RecordLines
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

    wanted = EventFilter(frozenset(find_event_type(name).name for name in type or ()), user)
    begin, hidden = _start(start, follow=follow), _redaction(redact)
    cluster = kafka.cluster()
    with registry.writer_schemas() as schemas:
        lines = RecordLines(AuthEventDeserializer(schemas), wanted, hidden, with_headers=headers)
        try:
            records = read_tail(cluster, topic or (), begin, on_outage=warn if follow else None)
            for line in islice(lines.of(_until_closed(records)), count):
                write_line(line)
        finally:
            lines.report(has_registry=schemas is not None)
    if lines.unreadable and not follow:
        raise typer.Exit(VERDICT)


def _until_closed(records: Iterator[Record | None]) -> Iterator[Record]:
    for record in records:
        if record is not None:
            yield record
        elif stdout_closed():  # else `| head` would keep this running until the next event
            discard_output()
            raise typer.Exit(BROKEN_PIPE)


def _redaction(least: PersonalDataClass | None) -> Redaction | None:
    from immersiverse.auth.events.privacy import CLASSES, Redaction

    return Redaction(CLASSES[least]) if least else None


def _start(text: str, *, follow: bool) -> ResetTarget:
    from immersiverse.auth.events.admin.offset_reset import ToBeginning, ToEnd, ToTimestamp

    begin = text or (_END if follow else _BEGINNING)
    if begin == _BEGINNING:
        return ToBeginning()
    return ToEnd() if begin == _END else ToTimestamp(milliseconds_of(begin))
