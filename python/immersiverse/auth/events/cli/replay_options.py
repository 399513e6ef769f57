"""The options that say which offsets are set, and to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.failures import WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.moments import MOMENT_HELP, milliseconds_of

if TYPE_CHECKING:
    from immersiverse.auth.events.operations.replay import Target

Group = Annotated[str, typer.Option("--group", "-g", metavar="GROUP", help="Whose offsets are set.")]
Topic = Annotated[str, typer.Option("--topic", "-t", metavar="TOPIC", help="Of which topic.")]
ToOffset = Annotated[
    int | None, typer.Option("--to-offset", metavar="N", min=0, help="Read on at this offset.")
]
ToTimestamp = Annotated[
    str | None,
    typer.Option("--to-timestamp", metavar="TIME", help=f"Read on at this moment, {MOMENT_HELP}."),
]
ToBeginning = Annotated[bool, typer.Option("--to-beginning", help="Read everything again.")]
ToEnd = Annotated[bool, typer.Option("--to-end", help="Skip everything.")]
Partitions = Annotated[
    list[int] | None,
    typer.Option("--partition", metavar="N", min=0, help="Only this partition; repeat it."),
]
NewGroup = Annotated[
    bool, typer.Option("--new-group", help="The group may be one that Kafka does not know yet.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="The plan as JSON.")]


def target_of(offset: int | None, moment: str | None, *, beginning: bool, end: bool) -> Target:
    """Where to read on, by what the options say.

    Raises:
        CommandFailed: they say nothing, or more than one thing, or no moment.
    """
    from immersiverse.auth.events.operations import replay

    given: list[Target] = [replay.ToBeginning()] if beginning else []
    if end:
        given.append(replay.ToEnd())
    if offset is not None:
        given.append(replay.ToOffset(offset))
    if moment is not None:
        given.append(replay.ToTimestamp(milliseconds_of(moment)))
    if len(given) != 1:
        raise CommandFailed(
            "one of --to-offset, --to-timestamp, --to-beginning and --to-end says where", WRONG_USE
        )
    return given[0]
