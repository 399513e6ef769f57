"""auth-events catalog."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.failures import WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.output import console, write_json

if TYPE_CHECKING:
    from immersiverse.auth.events.catalog import EventType


def _beginning_with(typed: str) -> list[str]:
    """What a shell offers to complete a name with."""
    from immersiverse.auth.events.catalog import EVENT_TYPES

    return [name for name in EVENT_TYPES if name.startswith(typed)]


def catalog(
    event: Annotated[
        str | None,
        typer.Argument(
            metavar="EVENT",
            help="One event: its fields, their rules, a sample.",
            autocompletion=_beginning_with,
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    json_schema: Annotated[
        bool, typer.Option("--json-schema", help="The JSON Schema of its messages; without EVENT, of all.")
    ] = False,
) -> None:
    """Show every event: its topic, its partition key, the personal data in it."""
    from immersiverse.auth.events.catalog import EVENT_TYPES
    from immersiverse.auth.events.cli import catalog_view as view

    if json_schema:
        write_json(_schema(_find(event).name) if event else {name: _schema(name) for name in EVENT_TYPES})
        return
    if event is None:
        event_types = tuple(EVENT_TYPES.values())
        write_json([view.facts(each) for each in event_types]) if as_json else view.show_all(
            console(), event_types
        )
        return
    found = _find(event)
    write_json(view.facts_and_sample(found)) if as_json else view.show(console(), found)


def _schema(name: str) -> Any:
    import orjson

    from immersiverse.auth.events.serialization.json_schema import schema_text

    return orjson.loads(schema_text(name))


def _find(name: str) -> EventType:
    from immersiverse.auth.events.catalog import EVENT_TYPES, find

    by_lower_case = {known.lower(): known for known in EVENT_TYPES}
    found = find(by_lower_case.get(name.lower(), name))
    if found is None:
        close = get_close_matches(name.lower(), by_lower_case, n=1)
        hint = f"did you mean {by_lower_case[close[0]]}?" if close else "auth-events catalog lists all"
        raise CommandFailed(f"there is no event {name!r}; {hint}", WRONG_USE)
    return found
