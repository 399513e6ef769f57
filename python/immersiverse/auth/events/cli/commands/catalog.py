"""auth-events catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer import Argument, Option

from immersiverse.auth.events.cli.options.events import find_event_type
from immersiverse.auth.events.cli.output import console, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console
    from rich.table import Table

    from immersiverse.auth.events.catalog import EventType, Field

_WIDE = 84  # columns


def _completions(typed: str) -> list[str]:
    """The event types that a shell offers to complete a name with."""
    from immersiverse.auth.events.catalog import EVENT_TYPES

    return [name for name in EVENT_TYPES if name.startswith(typed)]


def catalog(
    event: str | None = Argument(
        None,
        metavar="EVENT",
        help="One event: its fields, their rules, a sample.",
        autocompletion=_completions,
    ),
    *,
    as_json: bool = Option(False, "--json", help="As JSON."),
    json_schema: bool = Option(
        False, "--json-schema", help="The JSON Schema of its messages; without EVENT, of all."
    ),
) -> None:
    """Show every event: its topic, its partition key, the personal data in it."""
    from immersiverse.auth.events.catalog import EVENT_TYPES

    if json_schema:
        write_json(
            _schema(find_event_type(event).name) if event else {name: _schema(name) for name in EVENT_TYPES}
        )
    elif event is None and as_json:
        write_json([_facts(event_type) for event_type in EVENT_TYPES.values()])
    elif event is None:
        _show_all(console(), EVENT_TYPES.values())
    elif as_json:
        write_json(_facts_and_sample(find_event_type(event)))
    else:
        _show(console(), find_event_type(event))


def _schema(name: str) -> Any:
    import orjson

    from immersiverse.auth.events.serialization.json.schema import schema_text

    return orjson.loads(schema_text(name))


def _facts(event_type: EventType) -> dict[str, Any]:
    """What the contract says about an event, as JSON."""
    return {
        "name": event_type.name,
        "fullName": event_type.full_name,
        "topic": event_type.topic,
        "partitionKey": list(event_type.partition_key),
        "fields": [_field_facts(field) for field in event_type.fields],
    }


def _facts_and_sample(event_type: EventType) -> dict[str, Any]:
    import orjson

    from immersiverse.auth.events.samples import sample

    found = sample(event_type.name)
    return {**_facts(event_type), "sample": found and orjson.loads(found)}


def _field_facts(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "jsonName": field.json_name,
        "type": field.type_name,
        "values": field.values,
        "required": field.rules.required,
        "rules": field.rule_texts,
        "personalData": field.personal_data or None,
    }


def _show_all(screen: Console, event_types: Iterable[EventType]) -> None:
    """A table of all events, in sections by topic."""
    table = _table(screen, "Event", "Topic", wrapped={"Partition key": 25, "PII": 9})
    topic = ""
    for event_type in event_types:
        if topic and event_type.topic != topic:
            table.add_section()
        topic = event_type.topic
        key, personal_data = " else ".join(event_type.partition_key), ", ".join(_personal_data(event_type))
        table.add_row(f"[bold]{event_type.name}", topic, key, personal_data or "none")
    screen.print("", table, "")


def _show(screen: Console, event_type: EventType) -> None:
    """One event with its fields and a sample."""
    from rich.json import JSON
    from rich.padding import Padding

    from immersiverse.auth.events.samples import sample

    screen.print(f"\n[bold]{event_type.name}[/]  {event_type.full_name}")
    screen.print(f"  topic          {event_type.topic}")
    screen.print(f"  partition key  {' else '.join(event_type.partition_key)}")
    table = _table(screen, "Field", wrapped={"Type": 20, "Rules": 10, "PII": 9})
    for field in event_type.fields:
        table.add_row(
            f"[bold]{field.name}", field.type_name, ", ".join(field.rule_texts), field.personal_data
        )
    screen.print("", table, "")
    for field in event_type.fields:
        if field.values:
            names = ", ".join(field.values[1:])  # without the unspecified one
            screen.print(Padding(f"[bold]{field.json_name}[/]: {names}", (0, 0, 1, 2)))
    if found := sample(event_type.name):
        screen.print(JSON(found.decode()))


def _table(screen: Console, *whole: str, wrapped: Mapping[str, int]) -> Table:
    """A table for 80 columns and more: some of its own are never cut, others are wrapped to a least width."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    between = 1 if screen.width >= _WIDE else 0  # beside the line that the box draws as a space
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, between, 0, 0))
    for name in whole:
        table.add_column(name, no_wrap=True)
    for name, least in wrapped.items():
        table.add_column(name, min_width=least)
    return table


def _personal_data(event_type: EventType) -> list[str]:
    """Its classes, the most sensitive first."""
    from immersiverse.auth.events.catalog import PERSONAL_DATA

    found = {field.personal_data for field in event_type.fields}
    return [name for name in reversed(PERSONAL_DATA) if name and name in found]
