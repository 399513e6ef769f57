"""Whether a subject's level allows a new schema beside those it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility import Level, avro, check
from immersiverse.auth.events.embedded.registry.avro import whole
from immersiverse.auth.events.embedded.registry.protobuf import parsed
from immersiverse.auth.events.embedded.registry.refusals import invalid_schema
from immersiverse.auth.events.embedded.registry.schemas import imports
from immersiverse.auth.events.errors import AuthEventsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.compatibility import Change
    from immersiverse.auth.events.embedded.registry.records import Content, Version
    from immersiverse.auth.events.embedded.registry.store import Store


def objections(new: Content, olds: Sequence[Version], level: Level, store: Store) -> list[str]:
    """What breaks and with which version, in the form of Confluent's details; empty if nothing does.

    Args:
        new: the schema to be judged.
        olds: what is there, oldest first.
        level: which of them count, and in which direction.
        store: where the schemas and their imports are found.

    Raises:
        Refusal: 42201, if one of the schemas cannot be judged.
    """
    asked = [olds[place] for place in level.versions(len(olds))]
    if not asked:
        return []
    contents = [store.content(version.schema_id) for version in asked]
    if any(content.schema_type != new.schema_type for content in contents):
        return ['{errorType:"TYPE_CHANGED", description:"The subject holds schemas of another type"}']
    try:
        found = _changes(new, contents, level, store)
    except AuthEventsError as error:
        raise invalid_schema(str(error)) from error
    return [line for place, old in enumerate(asked) for line in _details(found, place, old)]


def _changes(new: Content, olds: Sequence[Content], level: Level, store: Store) -> list[Change]:
    if new.schema_type == "PROTOBUF":
        seen = [
            parsed(held.schema, imports(held.references, held.schema_type, store)) for held in (new, *olds)
        ]
        return check(seen[0], seen[1:], level=level)
    if new.schema_type == "AVRO":
        texts = [
            whole(held.schema, imports(held.references, held.schema_type, store)) for held in (new, *olds)
        ]
        return avro.check(texts[0], texts[1:], level=level)
    # JSON schemas are kept, not understood, so nothing is held against one.
    return []


def _details(changes: Sequence[Change], place: int, old: Version) -> list[str]:
    lines = [_detail(change) for change in changes if change.version == place]
    return [*lines, f"{{oldSchemaVersion: {old.number}}}"] if lines else []


def _detail(change: Change) -> str:
    sides = f" ({change.old or 'nothing'} -> {change.new or 'nothing'})" if change.old or change.new else ""
    return f'{{errorType:"{change.kind}", description:"At {change.path}{sides}: {change.sentence}"}}'
