"""auth-events lag and replay: what consumer groups have committed, and where they read on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from typer import Option

from immersiverse.auth.events.cli.options import AS_JSON, DRY_RUN, YES
from immersiverse.auth.events.cli.options.kafka import KafkaOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.options.time import TIME_HELP, milliseconds_of
from immersiverse.auth.events.cli.output import (
    WRONG_USE,
    CommandFailed,
    console,
    require_yes,
    warn,
    write_json,
)
from immersiverse.auth.events.cli.watching import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from immersiverse.auth.events.admin.lag import PartitionLag
    from immersiverse.auth.events.admin.offset_reset import OffsetChange, ResetTarget

    Measure = Callable[[], Sequence[PartitionLag]]


def lag(
    *,
    kafka: KafkaOptions,
    group: list[str] | None = Option(
        None,
        "--group",
        "-g",
        metavar="GROUP",
        help="Only this group; repeat it. By default all of the contract.",
    ),
    topic: list[str] | None = Option(
        None, "--topic", "-t", metavar="TOPIC", help="Only this topic; may be repeated."
    ),
    watch: bool = Option(False, "--watch", help="Repeat until interrupted."),
    interval: float = Option(
        2.0, "--interval", metavar="SECONDS", min=0.1, help="The pause between two measurements."
    ),
    as_json: bool = Option(False, "--json", help="As JSON; with --watch, one line per measurement."),
) -> None:
    """Show the lag of consumer groups, by partition.

    Offsets also count transaction markers, so an idle group may seem to be a little behind. With --watch,
    an outage of Kafka is reported and the last measurement stays.

    Exit codes: 0 done, 1 no such group or topic, 2 wrong use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.admin.lag import measure, watched_topics
    from immersiverse.auth.events.cli.views import groups as view

    cluster = kafka.cluster()
    topics = watched_topics(cluster, topic or (), group or ())

    def measured() -> Sequence[PartitionLag]:
        return measure(cluster, group or (), topics)

    if watch:
        repeat(measured, interval, as_json=as_json)
    elif as_json:
        write_json([view.lag_document(row) for row in measured()])
    elif rows := measured():
        console().print(view.lag_table(rows))
    else:
        warn(view.NO_GROUP)


def repeat(measured: Measure, interval: float, *, as_json: bool) -> None:
    """Measure and show the lag every so many seconds; see `watch`."""
    from immersiverse.auth.events.cli.views import groups as view

    watch(
        measured,
        interval,
        document=lambda rows: [view.lag_document(row) for row in rows],
        drawn=view.lag_drawn,
        as_json=as_json,
    )


def replay(
    *,
    kafka: KafkaOptions,
    group: str = Option(..., "--group", "-g", metavar="GROUP", help="The consumer group."),
    topic: str = Option(..., "--topic", "-t", metavar="TOPIC", help="The topic."),
    to_offset: int | None = Option(None, "--to-offset", metavar="N", min=0, help="Continue at this offset."),
    to_timestamp: str | None = Option(
        None, "--to-timestamp", metavar="TIME", help=f"Continue at this time, {TIME_HELP}."
    ),
    to_beginning: bool = Option(False, "--to-beginning", help="Read everything again."),
    to_end: bool = Option(False, "--to-end", help="Skip everything."),
    partition: list[int] | None = Option(
        None, "--partition", metavar="N", min=0, help="Only this partition; may be repeated."
    ),
    new_group: bool = Option(False, "--new-group", help="Allow a group that does not exist yet."),
    dry_run: bool = DRY_RUN,
    yes: bool = YES,
    as_json: bool = AS_JSON,
) -> None:
    """Reset a consumer group's offsets, to read events again or to skip them. Stop its members first.

    Shows the current and the new offset of each partition, and asks for confirmation.

    Exit codes: 0 done, 1 refused (no such group or topic, the group has members, or not confirmed), 2 wrong
    use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.admin import offset_reset

    target = _target(to_offset, to_timestamp, beginning=to_beginning, end=to_end)
    cluster = kafka.cluster()
    changes = offset_reset.plan(cluster, group, topic, target, frozenset(partition or ()))
    offset_reset.require_stopped(cluster, group, may_be_new=new_group)
    _show(changes, group, as_json=as_json)
    if dry_run:
        return
    if all(change.current == change.target for change in changes):
        warn(f"consumer group {group} already has these offsets")
        return
    if not yes:
        require_yes(f"Set the offsets of {group}?")
    offset_reset.apply(cluster, group, changes)
    warn(f"the offsets of consumer group {group} are set; start its members again")


def _target(offset: int | None, time: str | None, *, beginning: bool, end: bool) -> ResetTarget:
    from immersiverse.auth.events.admin.offset_reset import ToBeginning, ToEnd, ToOffset, ToTimestamp

    given: list[ResetTarget] = [ToBeginning()] if beginning else []
    if end:
        given.append(ToEnd())
    if offset is not None:
        given.append(ToOffset(offset))
    if time is not None:
        given.append(ToTimestamp(milliseconds_of(time)))
    if len(given) != 1:
        choices = "--to-offset, --to-timestamp, --to-beginning and --to-end"
        raise CommandFailed(f"pass exactly one of {choices}", WRONG_USE)
    return given[0]


def _show(changes: Sequence[OffsetChange], group: str, *, as_json: bool) -> None:
    from immersiverse.auth.events.cli.views import groups as view

    if as_json:
        write_json([view.reset_document(change) for change in changes])
    else:
        console().print(view.reset_table(changes))
    if all(change.current is None for change in changes):
        warn(f"consumer group {group} has committed no offset here: is this the right topic?")
    if any(change.again for change in changes):
        forget = f"auth-events inbox forget --consumer {shlex.quote(group)} --all"
        warn(f"an inbox drops events that it remembers; for them to be handled again, also run: {forget}")
