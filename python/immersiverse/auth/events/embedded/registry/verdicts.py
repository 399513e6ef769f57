"""Whether a subject's level allows a new schema beside those it has, in the registry's own words.

Source: confluentinc/schema-registry 8.3.0, ``SchemaValidatorBuilder`` and ``isCompatibleWithPrevious``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from immersiverse.auth.events.compatibility import Direction, Level, json_schema
from immersiverse.auth.events.compatibility.avro import parse
from immersiverse.auth.events.compatibility.registry_json_messages import json_schema_messages
from immersiverse.auth.events.compatibility.registry_messages import (
    ANOTHER_TYPE,
    avro_messages,
    protobuf_messages,
)
from immersiverse.auth.events.embedded.registry.avro import whole
from immersiverse.auth.events.embedded.registry.protobuf import parsed
from immersiverse.auth.events.embedded.registry.refusals import invalid_schema_of
from immersiverse.auth.events.embedded.registry.schemas import imports, written
from immersiverse.auth.events.errors import AuthEventsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from immersiverse.auth.events.embedded.registry.records import Content, Version
    from immersiverse.auth.events.embedded.registry.store import Store

LONGEST_SHOWN = 10 * 1024
"""Characters of an old schema that a refusal repeats."""


class Judge(NamedTuple):
    """How schemas of one type are judged.

    Attributes:
        understand: makes of a stored schema and its imports what `messages` takes.
        messages: a line for each reason why the reader, given first, cannot read what the writer wrote.
    """

    understand: Callable[[str, Mapping[str, str]], Any]
    messages: Callable[[Any, Any, Direction], list[str]]


JUDGES: Mapping[str, Judge] = {
    "AVRO": Judge(lambda stored, imported: parse(whole(stored, imported)), avro_messages),
    "PROTOBUF": Judge(parsed, protobuf_messages),
    "JSON": Judge(json_schema.parse, json_schema_messages),
}


def objections(new: Content, olds: Sequence[Version], level: Level, store: Store) -> list[str]:
    """Why the level forbids the schema, by the newest version that does; empty if none does.

    Args:
        new: the schema to be judged.
        olds: what is there, oldest first.
        level: which of them count, and in which direction.
        store: where the schemas and their imports are found.

    Raises:
        Refusal: 42201, if one of the schemas cannot be judged.
    """
    try:
        for place in reversed(level.versions(len(olds))):
            if lines := _against(olds[place], new, level, store):
                return [*lines, f"{{validateFields: 'false', compatibility: '{level}'}}"]
    except AuthEventsError as error:
        raise invalid_schema_of(new.schema_type, str(error)) from error
    return []


def _against(version: Version, new: Content, level: Level, store: Store) -> list[str]:
    old = store.content(version.schema_id)
    if old.schema_type != new.schema_type:
        return [ANOTHER_TYPE]
    judge = JUDGES[new.schema_type]
    sides = _understood(judge, new, store), _understood(judge, old, store)
    lines: list[str] = []
    found: list[str] = []
    for direction in reversed(level.directions):
        reader, writer = sides if direction is Direction.BACKWARD else reversed(sides)
        found = judge.messages(reader, writer, direction)
        lines += found
    # A full level names the old version only if the new one cannot read it: so the registry has it.
    return [*lines, *_named(version, old, store)] if found else lines


def _understood(judge: Judge, content: Content, store: Store) -> Any:
    return judge.understand(content.schema, imports(content.references, content.schema_type, store))


def _named(version: Version, old: Content, store: Store) -> list[str]:
    text = written(old, store, serialized=False)
    shown = f"'{text}'" if len(text) <= LONGEST_SHOWN else f"<truncated> '{text[:LONGEST_SHOWN]}...'"
    return [f"{{oldSchemaVersion: {version.number}}}", f"{{oldSchema: {shown}}}"]
