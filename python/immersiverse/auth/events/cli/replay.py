"""auth-events replay."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.failures import WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.kafka_options import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.moments import MOMENT_HELP, milliseconds_of
from immersiverse.auth.events.cli.output import console, warn, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.operations.replay import Move, Target


def replay(
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    group: Annotated[str, typer.Option("--group", "-g", metavar="GROUP", help="Whose offsets are set.")],
    topic: Annotated[str, typer.Option("--topic", "-t", metavar="TOPIC", help="Of which topic.")],
    to_offset: Annotated[
        int | None, typer.Option("--to-offset", metavar="N", min=0, help="Read on at this offset.")
    ] = None,
    to_timestamp: Annotated[
        str | None,
        typer.Option("--to-timestamp", metavar="TIME", help=f"Read on at this moment, {MOMENT_HELP}."),
    ] = None,
    to_beginning: Annotated[bool, typer.Option("--to-beginning", help="Read everything again.")] = False,
    to_end: Annotated[bool, typer.Option("--to-end", help="Skip everything.")] = False,
    partition: Annotated[
        list[int] | None,
        typer.Option("--partition", metavar="N", min=0, help="Only this partition; repeat it."),
    ] = None,
    new_group: Annotated[
        bool, typer.Option("--new-group", help="The group may be one that Kafka does not know yet.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The plan as JSON.")] = False,
) -> None:
    """Let a consumer group read events again, or skip them. Its members must be stopped first.

    Shows partition by partition where the group stands and where it would read on, and asks.
    """
    from immersiverse.auth.events.operations import rewind
    from immersiverse.auth.events.operations.replay import plan

    target = _target(to_offset, to_timestamp, beginning=to_beginning, end=to_end)
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    rewind.require_idle(cluster, group, may_be_new=new_group)
    moves = plan(rewind.states(cluster, group, topic, target, frozenset(partition or ())), target)
    write_json([_document(move) for move in moves]) if as_json else _show(moves)
    if dry_run:
        return
    if not yes:
        _ask(group)
    rewind.apply(cluster, group, moves)
    warn(f"the group {group} reads on as planned; start its members again")


def _target(offset: int | None, moment: str | None, *, beginning: bool, end: bool) -> Target:
    from immersiverse.auth.events.operations.replay import ToBeginning, ToEnd, ToOffset, ToTimestamp

    given: list[Target] = [ToBeginning()] if beginning else []
    if end:
        given.append(ToEnd())
    if offset is not None:
        given.append(ToOffset(offset))
    if moment is not None:
        given.append(ToTimestamp(milliseconds_of(moment)))
    if len(given) != 1:
        raise CommandFailed(
            "one of --to-offset, --to-timestamp, --to-beginning and --to-end says where", WRONG_USE
        )
    return given[0]


def _ask(group: str) -> None:
    if not sys.stdin.isatty():
        raise CommandFailed("nobody is there to ask, and nothing was changed; --yes goes ahead", WRONG_USE)
    typer.confirm(f"Set the offsets of {group}?", abort=True, err=True)


def _document(move: Move) -> dict[str, Any]:
    where = {"topic": move.partition.topic, "partition": move.partition.number}
    return {**where, **{name: value for name, value in asdict(move).items() if name != "partition"}}


def _show(moves: Sequence[Move]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_footer=len(moves) > 1)
    table.add_column("Partition", "all", overflow="fold")
    for name, footer in (
        ("Now", ""),
        ("Then", ""),
        ("Again", f"{sum(move.again for move in moves):,}"),
        ("Skipped", f"{sum(move.skipped for move in moves):,}"),
    ):
        table.add_column(name, footer, justify="right")
    table.add_column("")
    for move in moves:
        now = "-" if move.current is None else f"{move.current:,}"
        again, skipped = (f"{n:,}" if n else "" for n in (move.again, move.skipped))
        table.add_row(str(move.partition), now, f"{move.target:,}", again, skipped, move.note)
    console().print(table)
