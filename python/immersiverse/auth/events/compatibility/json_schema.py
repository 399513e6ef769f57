"""The same verdicts for JSON Schemas, by the rules of Confluent's Schema Registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.changes import Change, Direction
from immersiverse.auth.events.compatibility.json_schema_comparison import compare_schemas
from immersiverse.auth.events.compatibility.json_schema_documents import JsonSchema, canonical, parse
from immersiverse.auth.events.compatibility.json_schema_policy import Policy
from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.compatibility.levels import Level

__all__ = ["JsonSchema", "Policy", "check", "compare", "parse"]


def compare(old: JsonSchema, new: JsonSchema, *, policy: Policy = Policy.STRICT) -> list[Change]:
    """List every change that a reader of ``new`` meets in what a writer of ``old`` wrote.

    Schemas that are referred to are compared once, where they are met first. Keywords for which there is no
    rule are reported as NOT_JUDGED, and refused, where they differ.

    Returns:
        The changes, harmless ones too; empty for equal schemas, whatever their annotations say.

    Raises:
        InvalidSchema: a schema refers to nothing but itself, is nested too deeply, or has so many
            alternatives in alternatives that comparing them would take minutes.
    """
    try:
        found = [] if _is_same(old, new) else compare_schemas(old, new, policy)
    except RecursionError as error:
        raise InvalidSchema("the JSON Schemas are nested too deeply to be compared") from error
    return [Change(*finding, compatible=not policy.breaks(finding.kind)) for finding in found]


def check(
    new: JsonSchema, olds: Sequence[JsonSchema], *, level: Level, policy: Policy = Policy.STRICT
) -> list[Change]:
    """List what forbids a new version of a JSON Schema.

    Args:
        new: the version that is to be added.
        olds: the history, oldest first.
        level: which versions are asked, and in which direction.
        policy: how much of the unknown is trusted.

    Returns:
        The incompatible changes, each with the version it is about; empty if the new version may be added.

    Raises:
        InvalidSchema: as of `compare`.
    """
    return [
        change
        for version in level.versions(len(olds))
        for direction in level.directions
        for change in _incompatible(olds[version], new, direction, version, policy)
    ]


def _is_same(old: JsonSchema, new: JsonSchema) -> bool:
    return canonical([old.root, dict(old.imports)]) == canonical([new.root, dict(new.imports)])


def _incompatible(
    old: JsonSchema, new: JsonSchema, direction: Direction, version: int, policy: Policy
) -> Iterator[Change]:
    backward = direction is Direction.BACKWARD
    for change in compare(old, new, policy=policy) if backward else compare(new, old, policy=policy):
        if not change.compatible:
            sides = (change.old, change.new) if backward else (change.new, change.old)
            yield Change(
                change.kind, change.path, *sides, compatible=False, direction=direction, version=version
            )
