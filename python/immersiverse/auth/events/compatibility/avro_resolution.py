"""Whether one Avro schema reads what another wrote (Avro specification 1.12, "Schema Resolution")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from immersiverse.auth.events.compatibility.avro_incompatibility import Incompatibility, Place
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_NAMED = {"record", "error", "enum", "fixed"}
_PARTS = {"array": "items", "map": "values"}


class AvroSchema(NamedTuple):
    """A parsed schema: names are full, and ``named`` holds the definitions by them."""

    root: Any
    named: dict[str, Any]


def resolve(reader: AvroSchema, writer: AvroSchema) -> list[Incompatibility]:
    """List why the reader cannot read everything that the writer may write; what is met twice, once."""
    return _unique(_Resolution(reader.named, writer.named).read(reader.root, writer.root, Place("#/")))


class _Resolution:
    """One walk through two schemas; pairs of named types are resolved once, so recursion ends."""

    def __init__(self, reader_names: dict[str, Any], writer_names: dict[str, Any]) -> None:
        self._reader_names = reader_names
        self._writer_names = writer_names
        self._named: dict[tuple[str, str], list[Incompatibility]] = {}

    def read(self, reader: Any, writer: Any, place: Place) -> Iterator[Incompatibility]:
        reader, writer = _lookup(reader, self._reader_names), _lookup(writer, self._writer_names)
        if isinstance(writer, list):
            for number, branch in enumerate(writer):
                yield from self.read(reader, branch, place.below(str(number)))
        elif isinstance(reader, list):
            if not self._some_branch_reads(reader, writer):
                detail = f"reader union lacking writer type: {_java_type(writer)}"
                yield place.found(Kind.MISSING_UNION_BRANCH, (_text(writer), _text(reader)), detail)
        else:
            yield from self._read_plain(reader, writer, place)

    def _some_branch_reads(self, branches: list[Any], writer: Any) -> bool:
        return any(not any(self.read(branch, writer, Place("#/"))) for branch in branches)

    def _read_plain(self, reader: Any, writer: Any, place: Place) -> Iterator[Incompatibility]:
        kind, written = _kind(reader), _kind(writer)
        if kind in _NAMED and written in _NAMED:
            yield from self._read_named(reader, writer, place)
        elif kind != written:
            if kind not in _PROMOTIONS.get(written, ()):
                yield _mismatch(reader, writer, place)
        elif kind in _PARTS:
            part = _PARTS[kind]
            inside = place.below(part, path=f"{place.path.rstrip('/')}/{part}")
            yield from self.read(reader[part], writer[part], inside)

    def _read_named(self, reader: Any, writer: Any, place: Place) -> Iterator[Incompatibility]:
        names = writer["name"], reader["name"]
        if names not in self._named:
            self._named[names] = []  # what refers to itself is readable if the rest of it is
            self._named[names] = _unique(self._read_definition(reader, writer, place))
        yield from self._named[names]

    def _read_definition(self, reader: Any, writer: Any, place: Place) -> Iterator[Incompatibility]:
        if (kind := _kind(reader)) != _kind(writer):
            yield _mismatch(reader, writer, place)
            return
        if not _same_name(reader, writer):
            sides = writer["name"], reader["name"]
            yield place.below("name").found(Kind.NAME_MISMATCH, sides, f"expected: {writer['name']}")
        inside = place.below(path=f"#/{_short(reader['name'])}")
        if kind == "fixed":
            yield from _read_size(reader["size"], writer["size"], inside.below("size"))
        elif kind == "enum":
            yield from _read_symbols(reader, writer, inside.below("symbols"))
        else:
            yield from self._read_fields(reader, writer, inside)

    def _read_fields(self, reader: Any, writer: Any, place: Place) -> Iterator[Incompatibility]:
        written = {field["name"]: field for field in writer["fields"]}
        for number, field in enumerate(reader["fields"]):
            where = place.below("fields", str(number), path=f"{place.path}/{field['name']}")
            names = (field["name"], *field.get("aliases", ()))
            source = next((written[name] for name in names if name in written), None)
            if source is not None:
                yield from self.read(field["type"], source["type"], where.below("type"))
            elif "default" not in field:
                yield from self._read_nothing(field, writer, where)

    def _read_nothing(self, field: Any, writer: Any, place: Place) -> Iterator[Incompatibility]:
        kind = _lookup(field["type"], self._reader_names)
        if isinstance(kind, dict) and kind["type"] == "enum" and "default" in kind:
            # Avro's library takes such an enum for the whole record's reader, and so names another reason.
            yield from self.read(kind, writer, place.below("type"))
        else:
            sides = "", f"{_text(field['type'])} {field['name']}"
            yield place.found(Kind.READER_FIELD_MISSING_DEFAULT_VALUE, sides, field["name"])


def _mismatch(reader: Any, writer: Any, place: Place) -> Incompatibility:
    types = f"{_java_type(reader)} not compatible with writer type: {_java_type(writer)}"
    return place.found(Kind.TYPE_MISMATCH, (_text(writer), _text(reader)), f"reader type: {types}")


def _read_size(reader: int, writer: int, place: Place) -> Iterator[Incompatibility]:
    if reader != writer:
        detail = f"expected: {writer}, found: {reader}"
        yield place.found(Kind.FIXED_SIZE_MISMATCH, (str(writer), str(reader)), detail)


def _read_symbols(reader: Any, writer: Any, place: Place) -> Iterator[Incompatibility]:
    missing = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
    if missing and reader.get("default") not in reader["symbols"]:
        sides = ", ".join(missing), ", ".join(reader["symbols"])
        yield place.found(Kind.MISSING_ENUM_SYMBOLS, sides, f"[{', '.join(sorted(missing))}]")


def _same_name(reader: Any, writer: Any) -> bool:
    """Names agree without their namespaces; a reader's alias agrees with one."""
    if _short(reader["name"]) == _short(writer["name"]):
        return True
    namespace = reader["name"].rpartition(".")[0]
    aliases = (
        alias if "." in alias or not namespace else f"{namespace}.{alias}"
        for alias in reader.get("aliases", ())
    )
    return writer["name"] in aliases


def _lookup(schema: Any, names: dict[str, Any]) -> Any:
    return names.get(schema, schema) if isinstance(schema, str) else schema


def _kind(schema: Any) -> str:
    if isinstance(schema, str):
        return schema
    kind = schema["type"]
    return kind if isinstance(kind, str) else _kind(kind)


def _java_type(schema: Any) -> str:
    """A type as Avro's library prints it, which knows no errors but records."""
    return _kind(schema).replace("error", "record").upper()


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _text(schema: Any) -> str:
    if isinstance(schema, list):
        return " or ".join(_text(branch) for branch in schema)
    if isinstance(schema, dict) and "name" in schema:
        return f"{_kind(schema)} {schema['name']}"
    return _kind(schema)


def _unique(findings: Iterator[Incompatibility]) -> list[Incompatibility]:
    return list(dict.fromkeys(findings))
