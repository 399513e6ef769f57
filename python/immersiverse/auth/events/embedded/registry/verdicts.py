"""Whether a subject's level allows a new schema beside those it has, explained in this project's words.

JSON Schemas are stored and served, and not judged: every version of one is allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility_level import Direction
from immersiverse.auth.events.embedded.registry.avro import whole
from immersiverse.auth.events.embedded.registry.protobuf import parsed
from immersiverse.auth.events.embedded.registry.refusals import invalid_schema_of
from immersiverse.auth.events.embedded.registry.schemas import imports
from immersiverse.auth.events.errors import AuthEventsError
from immersiverse.auth.events.schema_checks import avro
from immersiverse.auth.events.schema_checks.verdict import refused_changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.compatibility_level import Level
    from immersiverse.auth.events.embedded.registry.records import Content, Version
    from immersiverse.auth.events.embedded.registry.store import Store
    from immersiverse.auth.events.schema_checks.changes import Change


def objections(new: Content, olds: Sequence[Version], level: Level, store: Store) -> list[str]:
    """Why the level forbids the schema, by the newest version that does; empty if none does.

    Args:
        new: the schema to be judged.
        olds: the versions of the subject, oldest first.
        level: which of them count, and in which direction.
        store: where the schemas and their imports are found.

    Raises:
        Refusal: 42201, if one of the schemas cannot be judged.
    """
    try:
        for index in reversed(level.versions(len(olds))):
            if lines := list(_against(store.content(olds[index].schema_id), new, level, store)):
                return [*lines, f"compared with version {olds[index].number} at level {level}"]
    except AuthEventsError as error:
        raise invalid_schema_of(new.schema_type, str(error)) from error
    return []


def _against(old: Content, new: Content, level: Level, store: Store) -> Iterator[str]:
    if old.schema_type != new.schema_type:
        yield f"the subject holds {old.schema_type} schemas"
        return
    for change in _refused(old, new, level, store):
        readers = " for readers on the old version" if change.direction is Direction.FORWARD else ""
        yield f"{change.kind} at {change.path}{readers}: {change.sentence}"


def _refused(old: Content, new: Content, level: Level, store: Store) -> list[Change]:
    sides = [(each.schema, imports(each.references, each.schema_type, store)) for each in (new, old)]
    if new.schema_type == "PROTOBUF":
        added, earlier = (parsed(*side) for side in sides)
        return refused_changes(added, [earlier], level=level)
    if new.schema_type == "AVRO":
        text, earlier_text = (whole(*side) for side in sides)
        return avro.check(text, [earlier_text], level=level)
    return []
