"""The catalogue, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from google.protobuf.descriptor import FieldDescriptor
from rich.box import SIMPLE_HEAD
from rich.json import JSON
from rich.padding import Padding
from rich.table import Table

from immersiverse.auth.events.serialization.json import JsonCodec
from immersiverse.auth.events.simulation import simulate
from immersiverse.auth.events.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from google.protobuf.descriptor import EnumDescriptor
    from rich.console import Console

    from immersiverse.auth.events.catalog import EventType, Field

_ENOUGH_FOR_EVERY_TYPE = 20_000
_WIDE = 84  # columns

_SCALARS = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_UINT32: "uint32",
}


def facts(event_type: EventType) -> dict[str, Any]:
    """What the contract says about an event, as JSON."""
    return {
        "name": event_type.name,
        "fullName": event_type.full_name,
        "topic": event_type.topic,
        "partitionKey": list(event_type.partition_key),
        "fields": [_field_facts(field) for field in event_type.fields],
    }


def facts_and_sample(event_type: EventType) -> dict[str, Any]:
    """The same with a sample."""
    sample = _sample(event_type)
    return {**facts(event_type), "sample": sample and orjson.loads(sample)}


def show_all(console: Console, event_types: Iterable[EventType]) -> None:
    """A table of all events, in sections by topic."""
    table = _table(console, "Event", "Topic", wrapped={"Partition key": 25, "PII": 9})
    topic = ""
    for event_type in event_types:
        if topic and event_type.topic != topic:
            table.add_section()
        topic = event_type.topic
        table.add_row(
            f"[bold]{event_type.name}",
            topic,
            " else ".join(event_type.partition_key),
            ", ".join(_personal_data(event_type)) or "none",
        )
    console.print("", table, "")


def show(console: Console, event_type: EventType) -> None:
    """One event with its fields and a sample."""
    console.print(f"\n[bold]{event_type.name}[/]  {event_type.full_name}")
    console.print(f"  topic          {event_type.topic}")
    console.print(f"  partition key  {' else '.join(event_type.partition_key)}")
    table = _table(console, "Field", wrapped={"Type": 20, "Rules": 10, "PII": 9})
    for field in event_type.fields:
        table.add_row(
            f"[bold]{field.name}",
            _type(field),
            ", ".join(_rules(field)),
            field.personal_data,
        )
    console.print("", table, "")
    for enum, values in _enums(event_type).items():
        console.print(Padding(f"[bold]{enum}[/]: {', '.join(values)}", (0, 0, 1, 2)))
    if sample := _sample(event_type):
        console.print(JSON(sample.decode()))


def _table(console: Console, *whole: str, wrapped: Mapping[str, int]) -> Table:
    """A table for 80 columns and more: some of its own are never cut, others are wrapped to a least width."""
    between = 1 if console.width >= _WIDE else 0  # beside the line that the box draws as a space
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, between, 0, 0))
    for name in whole:
        table.add_column(name, no_wrap=True)
    for name, least in wrapped.items():
        table.add_column(name, min_width=least)
    return table


def _personal_data(event_type: EventType) -> list[str]:
    """Its classes, the most sensitive first."""
    found = {
        field.rules.personal_data: field.personal_data for field in event_type.fields if field.personal_data
    }
    return [found[number] for number in sorted(found, reverse=True)]


def _field_facts(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "jsonName": field.json_name,
        "type": _type(field),
        "values": _value_names(field),
        "required": field.rules.required,
        "rules": list(_rules(field)),
        "personalData": field.personal_data or None,
    }


def _value_names(field: Field) -> list[str] | None:
    """The names of an enum's values as JSON events have them; None for any other type."""
    enum = field.descriptor.enum_type
    return [value.name for value in enum.values] if enum else None


def _type(field: Field) -> str:
    descriptor = field.descriptor
    if descriptor.message_type:
        name = descriptor.message_type.name
    elif descriptor.enum_type:
        name = descriptor.enum_type.name
    else:
        name = _SCALARS.get(descriptor.type, "bytes")
    return f"repeated {name}" if descriptor.is_repeated else name


def _rules(field: Field) -> Iterator[str]:
    rules = field.rules
    if rules.required:
        yield "required"
    if rules.max_length:
        yield f"at most {rules.max_length} {'items' if field.descriptor.is_repeated else 'characters'}"
    if rules.HasField("minimum"):
        yield f"at least {rules.minimum:g}"
    if rules.HasField("maximum"):
        yield f"at most {rules.maximum:g}"
    if rules.format:
        yield options_pb2.Format.Name(rules.format).removeprefix("FORMAT_").lower().replace("_", " ")


def _enums(event_type: EventType) -> dict[str, list[str]]:
    """The values of its fields by the names of their types, without what their names have in common."""
    enums = [field.descriptor.enum_type for field in event_type.fields if field.descriptor.enum_type]
    return {enum.name: _values(enum) for enum in enums}


def _values(enum: EnumDescriptor) -> list[str]:
    names = [value.name for value in enum.values if value.number]
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    return [name.removeprefix(prefix) for name in names]


def _sample(event_type: EventType) -> bytes | None:
    """The first such event of a simulated world; None if it makes none, as of a type that is being added."""
    world = simulate(1, _ENOUGH_FOR_EVERY_TYPE)
    event = next((event for event in world if event.WhichOneof("payload") == event_type.arm), None)
    return event and JsonCodec().encode(event)
