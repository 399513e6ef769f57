"""The options that say which events are shown, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.choices import PersonalDataClass
from immersiverse.auth.events.cli.failures import WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.moments import MOMENT_HELP, milliseconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from immersiverse.auth.events.operations.tail import EventFilter, Start

_BEGINNING, _END = "beginning", "end"

Topics = Annotated[
    list[str] | None,
    typer.Option("--topic", "-t", metavar="TOPIC", help="Only this one; repeat it. The contract's if none."),
]
Types = Annotated[
    list[str] | None, typer.Option("--type", metavar="EVENT", help="Only events of this type; repeat it.")
]
User = Annotated[
    str, typer.Option("--user", metavar="ID", help="Only this user's, by user id or message key.")
]
From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="beginning|end|TIME",
        help=f"Where to begin; a time is {MOMENT_HELP}. The end if following, else the beginning.",
    ),
]
Follow = Annotated[
    bool, typer.Option("--follow/--no-follow", help="Wait for more, or end with what is there.")
]
Count = Annotated[
    int | None, typer.Option("--count", "-n", metavar="N", min=1, help="End after this many events.")
]
Redact = Annotated[
    PersonalDataClass | None,
    typer.Option("--redact", help="Withhold personal data of this class and more sensitive ones."),
]
Headers = Annotated[bool, typer.Option("--headers", help="Where each came from, its key and headers, too.")]


def event_filter(types: Iterable[str] | None, user: str) -> EventFilter:
    """What the options want to see.

    Raises:
        CommandFailed: there is no such event type.
    """
    from immersiverse.auth.events.operations.tail import EventFilter

    return EventFilter(frozenset(_type_name(name) for name in types or ()), user)


def start_of(text: str, *, follow: bool) -> Start:
    """Where to begin.

    Raises:
        CommandFailed: the text is no moment.
    """
    from immersiverse.auth.events.operations.replay import ToBeginning, ToEnd, ToTimestamp

    begin = text or (_END if follow else _BEGINNING)
    if begin == _BEGINNING:
        return ToBeginning()
    return ToEnd() if begin == _END else ToTimestamp(milliseconds_of(begin))


def _type_name(name: str) -> str:
    from immersiverse.auth.events.catalog import EVENT_TYPES

    known = next((known for known in EVENT_TYPES if known.lower() == name.lower()), None)
    if known is None:
        raise CommandFailed(f"there is no event {name!r}; auth-events catalog lists all", WRONG_USE)
    return known
