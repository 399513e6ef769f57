"""Verdicts for Avro schemas, by Avro's own rules (Avro specification 1.12, "Schema Resolution")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from immersiverse.auth.events.compatibility_level import Direction
from immersiverse.auth.events.errors import InvalidSchema, MissingExtra
from immersiverse.auth.events.schema_checks.changes import Change
from immersiverse.auth.events.schema_checks.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from immersiverse.auth.events.compatibility_level import Level

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_NAMED = {"record", "error", "enum", "fixed"}
_PARTS = {"array": "items", "map": "values"}
# What fastavro's parser raises where it does not check: broken JSON, missing parts, wrong types, great depth.
_PARSER_ERRORS = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def check(new: str, olds: Sequence[str], *, level: Level) -> list[Change]:
    """The changes that forbid a new version of an Avro schema, each with the earlier version it is about.

    Args:
        new: the version that is to be added, as JSON text.
        olds: the history, oldest first.
        level: which versions are checked, and in which direction.

    Raises:
        InvalidSchema: a text is not an Avro schema.
        MissingExtra: the ``avro`` extra is not installed.
    """
    added = parse(new)
    return [
        change
        for version in level.versions(len(olds))
        for direction in level.directions
        for change in incompatible(parse(olds[version]), added, direction, version)
    ]


class AvroSchema(NamedTuple):
    """A parsed schema: names are full, and ``named`` holds the definitions by them."""

    root: Any
    named: dict[str, Any]


def parse(text: str, imported: Iterable[str] = ()) -> AvroSchema:
    """Parse an Avro schema.

    Args:
        text: the schema as JSON.
        imported: schemas whose named types it uses, each after those that it uses itself.

    Raises:
        InvalidSchema: a text is not one.
        MissingExtra: the ``avro`` extra is not installed.
    """
    try:
        from fastavro.schema import SchemaParseException, UnknownType, parse_schema  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("avro", "checking Avro schemas") from error
    named: dict[str, Any] = {}
    try:
        for each in imported:
            parse_schema(orjson.loads(each), named_schemas=named)
        return AvroSchema(parse_schema(orjson.loads(text), named_schemas=named), named)
    except (SchemaParseException, UnknownType, *_PARSER_ERRORS) as error:
        raise InvalidSchema(f"not an Avro schema: {error!r}") from error


def incompatible(
    old: AvroSchema, new: AvroSchema, direction: Direction, version: int | None = None
) -> Iterator[Change]:
    """What one of two versions cannot read of the other; what is met at two places is one change."""
    reader, writer = (new, old) if direction is Direction.BACKWARD else (old, new)
    for kind, path, written, read in _unique(
        _Resolution(reader.named, writer.named).read(reader.root, writer.root, "#/")
    ):
        sides = (written, read) if direction is Direction.BACKWARD else (read, written)
        yield Change(kind, path, *sides, compatible=False, direction=direction, version=version)


class _Mismatch(NamedTuple):
    """Why a reader cannot read: the path by names, and what the writer and the reader have there."""

    kind: Kind
    path: str
    written: str
    read: str


class _Resolution:
    """One walk through two schemas; pairs of named types are resolved once, so recursion ends."""

    def __init__(self, reader_names: dict[str, Any], writer_names: dict[str, Any]) -> None:
        self._reader_names = reader_names
        self._writer_names = writer_names
        self._named: dict[tuple[str, str], list[_Mismatch]] = {}

    def read(self, reader: Any, writer: Any, path: str) -> Iterator[_Mismatch]:
        reader, writer = _definition(reader, self._reader_names), _definition(writer, self._writer_names)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.read(reader, branch, path)
        elif isinstance(reader, list):
            if not any(not any(self.read(branch, writer, "#/")) for branch in reader):
                yield _Mismatch(Kind.MISSING_UNION_BRANCH, path, _text(writer), _text(reader))
        else:
            yield from self._read_plain(reader, writer, path)

    def _read_plain(self, reader: Any, writer: Any, path: str) -> Iterator[_Mismatch]:
        kind, written = _type(reader), _type(writer)
        if kind in _NAMED and kind == written:
            yield from self._read_named(reader, writer, path)
        elif kind != written:
            if kind not in _PROMOTIONS.get(written, ()):
                yield _Mismatch(Kind.TYPE_MISMATCH, path, _text(writer), _text(reader))
        elif kind in _PARTS:
            part = _PARTS[kind]
            yield from self.read(reader[part], writer[part], f"{path.rstrip('/')}/{part}")

    def _read_named(self, reader: Any, writer: Any, path: str) -> Iterator[_Mismatch]:
        names = writer["name"], reader["name"]
        if names not in self._named:
            self._named[names] = []  # what refers to itself is readable if the rest of it is
            self._named[names] = _unique(self._read_definition(reader, writer, path))
        yield from self._named[names]

    def _read_definition(self, reader: Any, writer: Any, path: str) -> Iterator[_Mismatch]:
        if not _same_name(reader, writer):
            yield _Mismatch(Kind.NAME_MISMATCH, path, writer["name"], reader["name"])
        inside = f"#/{_short(reader['name'])}"
        if _type(reader) == "fixed":
            if reader["size"] != writer["size"]:
                yield _Mismatch(Kind.FIXED_SIZE_MISMATCH, inside, str(writer["size"]), str(reader["size"]))
        elif _type(reader) == "enum":
            missing = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
            if missing and reader.get("default") not in reader["symbols"]:
                sides = ", ".join(missing), ", ".join(reader["symbols"])
                yield _Mismatch(Kind.MISSING_ENUM_SYMBOLS, inside, *sides)
        else:
            yield from self._read_fields(reader, writer, inside)

    def _read_fields(self, reader: Any, writer: Any, path: str) -> Iterator[_Mismatch]:
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            at = f"{path}/{field['name']}"
            names = (field["name"], *field.get("aliases", ()))
            source = next((written[name] for name in names if name in written), None)
            if source is not None:
                yield from self.read(field["type"], source["type"], at)
            elif "default" not in field:
                text = f"{_text(field['type'])} {field['name']}"
                yield _Mismatch(Kind.READER_FIELD_MISSING_DEFAULT_VALUE, at, "", text)


def _same_name(reader: Any, writer: Any) -> bool:
    """Names agree without their namespaces; a reader's alias agrees with one."""
    if _short(reader["name"]) == _short(writer["name"]):
        return True
    namespace = reader["name"].rpartition(".")[0]
    return writer["name"] in (
        alias if "." in alias or not namespace else f"{namespace}.{alias}"
        for alias in reader.get("aliases", ())
    )


def _definition(schema: Any, names: dict[str, Any]) -> Any:
    return names.get(schema, schema) if isinstance(schema, str) else schema


def _type(schema: Any) -> str:
    if isinstance(schema, str):
        return schema
    kind = schema["type"]
    return kind if isinstance(kind, str) else _type(kind)


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _text(schema: Any) -> str:
    if isinstance(schema, list):
        return " or ".join(_text(branch) for branch in schema)
    if isinstance(schema, dict) and "name" in schema:
        return f"{_type(schema)} {schema['name']}"
    return _type(schema)


def _unique(found: Iterator[_Mismatch]) -> list[_Mismatch]:
    return list(dict.fromkeys(found))
