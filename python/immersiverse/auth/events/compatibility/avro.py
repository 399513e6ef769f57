"""The same verdicts for Avro schemas, by Avro's own rules of schema resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from immersiverse.auth.events.compatibility.avro_resolution import AvroSchema, resolve
from immersiverse.auth.events.compatibility.changes import Change, Direction
from immersiverse.auth.events.errors import InvalidSchema, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.compatibility.levels import Level


def check(new: str, olds: Sequence[str], *, level: Level) -> list[Change]:
    """List what forbids a new version of an Avro schema (Avro specification, "Schema Resolution").

    Args:
        new: the version that is to be added, as JSON text.
        olds: the history, oldest first.
        level: which versions are asked, and in which direction.

    Returns:
        The incompatible changes, each with the version it is about; empty if the new version may be added.

    Raises:
        InvalidSchema: a text is not an Avro schema.
        MissingExtra: the ``avro`` extra is not installed.
    """
    added = parse(new)
    return [
        change
        for version in level.versions(len(olds))
        for direction in level.directions
        for change in _incompatible(parse(olds[version]), added, direction, version)
    ]


def parse(text: str) -> AvroSchema:
    """Read an Avro schema.

    Raises:
        InvalidSchema: the text is not one.
        MissingExtra: the ``avro`` extra is not installed.
    """
    try:
        from fastavro.schema import SchemaParseException, UnknownType, parse_schema  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("avro", "judging Avro schemas") from error
    named: dict[str, Any] = {}
    try:
        return AvroSchema(parse_schema(orjson.loads(text), named_schemas=named), named)
    except (SchemaParseException, UnknownType, *_UNFORESEEN) as error:
        raise InvalidSchema(f"not an Avro schema: {error!r}") from error


def _incompatible(old: AvroSchema, new: AvroSchema, direction: Direction, version: int) -> Iterator[Change]:
    reader, writer = (new, old) if direction is Direction.BACKWARD else (old, new)
    # What is met at two places is one change.
    seen = dict.fromkeys(found[:4] for found in resolve(reader, writer))
    for kind, path, written, read in seen:
        sides = (written, read) if direction is Direction.BACKWARD else (read, written)
        yield Change(kind, path, *sides, compatible=False, direction=direction, version=version)


# What the parser raises where it does not look closely: broken JSON, missing parts, wrong types, great depth.
_UNFORESEEN = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
