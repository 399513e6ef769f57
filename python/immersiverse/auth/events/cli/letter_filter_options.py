"""The options that say which dead letters are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.moments import MOMENT_HELP, milliseconds_of

if TYPE_CHECKING:
    from immersiverse.auth.events.operations.letter_filter import LetterFilter

OriginalTopic = Annotated[
    str, typer.Option("--topic", "-t", metavar="TOPIC", help="Only letters that came from this topic.")
]
ErrorPart = Annotated[
    str,
    typer.Option(
        "--error", metavar="TEXT", help="Only letters with this in the error's class name or message."
    ),
]
User = Annotated[str, typer.Option("--user", metavar="ID", help="Only this user's letters.")]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help=f"Only letters put aside from this moment on, {MOMENT_HELP}."
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Only letters put aside before this moment.")
]
DeadLetterTopic = Annotated[
    str,
    typer.Option(
        "--dlq-topic", metavar="TOPIC", help="Where dead letters lie; where the contract says if none."
    ),
]
All = Annotated[bool, typer.Option("--all", help="Those that were sent back already, too.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Only the newest.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The letter: its partition and offset, such as 0-12.")]


def letter_filter(topic: str, error: str, user: str, since: str | None, until: str | None) -> LetterFilter:
    """What the options mean."""
    from immersiverse.auth.events.operations.letter_filter import LetterFilter

    begin = None if since is None else milliseconds_of(since)
    return LetterFilter(topic, error, user, begin, None if until is None else milliseconds_of(until))


def dead_letter_topic(given: str) -> str:
    """The topic that the options name, or the contract's."""
    from immersiverse.auth.events import catalog

    return given or catalog.DEAD_LETTER_TOPIC
