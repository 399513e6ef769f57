"""auth-events replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.options.kafka import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.options.time import TIME_HELP, milliseconds_of
from immersiverse.auth.events.cli.output import (
    WRONG_USE,
    CommandFailed,
    console,
    require_yes,
    warn,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.admin.offset_reset import OffsetChange, ResetTarget

Group = Annotated[str, typer.Option("--group", "-g", metavar="GROUP", help="The consumer group.")]
Topic = Annotated[str, typer.Option("--topic", "-t", metavar="TOPIC", help="The topic.")]
ToOffset = Annotated[
    int | None, typer.Option("--to-offset", metavar="N", min=0, help="Continue at this offset.")
]
ToTime = Annotated[
    str | None,
    typer.Option("--to-timestamp", metavar="TIME", help=f"Continue at this time, {TIME_HELP}."),
]
FromBeginning = Annotated[bool, typer.Option("--to-beginning", help="Read everything again.")]
SkipToEnd = Annotated[bool, typer.Option("--to-end", help="Skip everything.")]
Partitions = Annotated[
    list[int] | None,
    typer.Option("--partition", metavar="N", min=0, help="Only this partition; may be repeated."),
]
NewGroup = Annotated[bool, typer.Option("--new-group", help="Allow a group that does not exist yet.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
AsJson = Annotated[bool, typer.Option("--json", help="Show the plan as JSON.")]


def replay(
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    group: Group,
    topic: Topic,
    to_offset: ToOffset = None,
    to_timestamp: ToTime = None,
    to_beginning: FromBeginning = False,
    to_end: SkipToEnd = False,
    partition: Partitions = None,
    new_group: NewGroup = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Reset a consumer group's offsets, to read events again or to skip them. Stop its members first.

    Shows the current and the new offset of each partition, and asks for confirmation.

    Exit codes: 0 done, 1 refused (no such group or topic, the group has members, or not confirmed), 2 wrong
    use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.admin import offset_reset

    target = _target(to_offset, to_timestamp, beginning=to_beginning, end=to_end)
    cluster = connected_cluster(bootstrap_servers, config, config_file)
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
        raise CommandFailed(
            "pass exactly one of --to-offset, --to-timestamp, --to-beginning and --to-end", WRONG_USE
        )
    return given[0]


def _show(changes: Sequence[OffsetChange], group: str, *, as_json: bool) -> None:
    from immersiverse.auth.events.cli.views import replay as view

    if as_json:
        write_json([view.document(change) for change in changes])
    else:
        console().print(view.table(changes))
    if all(change.current is None for change in changes):
        warn(f"consumer group {group} has committed no offset here: is this the right topic?")
