"""Whether one Avro schema reads what another wrote (Avro specification 1.12, "Schema Resolution")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from immersiverse.auth.events.compatibility.findings import Finding
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


class AvroSchema(NamedTuple):
    """A parsed schema: names are full, and ``named`` holds the definitions by them."""

    root: Any
    named: dict[str, Any]


def resolve(reader: AvroSchema, writer: AvroSchema) -> list[Finding]:
    """List why the reader cannot read everything that the writer may write; "old" is the writer's side."""
    return _unique(_Resolution(reader.named, writer.named).read(reader.root, writer.root, "#/"))


class _Resolution:
    """One walk through two schemas; pairs of named types are resolved once, so recursion ends."""

    def __init__(self, reader_names: dict[str, Any], writer_names: dict[str, Any]) -> None:
        self._reader_names = reader_names
        self._writer_names = writer_names
        self._named: dict[tuple[str, str], list[Finding]] = {}

    def read(self, reader: Any, writer: Any, path: str) -> Iterator[Finding]:
        reader, writer = _lookup(reader, self._reader_names), _lookup(writer, self._writer_names)
        if isinstance(writer, list):
            yield from self._read_union(reader, writer, path)
        elif isinstance(reader, list):
            if not self._some_branch_reads(reader, writer):
                yield Finding(Kind.MISSING_UNION_BRANCH, path, _text(writer), _text(reader))
        else:
            yield from self._read_plain(reader, writer, path)

    def _read_union(self, reader: Any, branches: list[Any], path: str) -> Iterator[Finding]:
        for branch in branches:
            yield from self.read(reader, branch, path)

    def _some_branch_reads(self, branches: list[Any], writer: Any) -> bool:
        return any(not any(self.read(branch, writer, "#/")) for branch in branches)

    def _read_plain(self, reader: Any, writer: Any, path: str) -> Iterator[Finding]:
        kind, written = _kind(reader), _kind(writer)
        if kind != written:
            if kind not in _PROMOTIONS.get(written, ()):
                yield Finding(Kind.TYPE_MISMATCH, path, _text(writer), _text(reader))
        elif kind in _NAMED:
            yield from self._read_named(reader, writer, path)
        elif kind == "array":
            yield from self.read(reader["items"], writer["items"], f"{path.rstrip('/')}/items")
        elif kind == "map":
            yield from self.read(reader["values"], writer["values"], f"{path.rstrip('/')}/values")

    def _read_named(self, reader: Any, writer: Any, path: str) -> Iterator[Finding]:
        if not _same_name(reader, writer):
            yield Finding(Kind.NAME_MISMATCH, path, writer["name"], reader["name"])
        pair = reader["name"], writer["name"]
        if pair not in self._named:
            self._named[pair] = []  # what refers to itself is readable if the rest of it is
            self._named[pair] = _unique(self._read_definition(reader, writer))
        yield from self._named[pair]

    def _read_definition(self, reader: Any, writer: Any) -> Iterator[Finding]:
        path = f"#/{_short(reader['name'])}"
        kind = _kind(reader)
        if kind == "fixed":
            if reader["size"] != writer["size"]:
                yield Finding(Kind.FIXED_SIZE_MISMATCH, path, str(writer["size"]), str(reader["size"]))
        elif kind == "enum":
            yield from _read_symbols(reader, writer, path)
        else:
            yield from self._read_fields(reader, writer, path)

    def _read_fields(self, reader: Any, writer: Any, path: str) -> Iterator[Finding]:
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            where = f"{path}/{field['name']}"
            names = (field["name"], *field.get("aliases", ()))
            source = next((written[name] for name in names if name in written), None)
            if source is not None:
                yield from self.read(field["type"], source["type"], where)
            elif "default" not in field:
                kind = Kind.READER_FIELD_MISSING_DEFAULT_VALUE
                yield Finding(kind, where, "", f"{_text(field['type'])} {field['name']}")


def _read_symbols(reader: Any, writer: Any, path: str) -> Iterator[Finding]:
    missing = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
    if missing and reader.get("default") not in reader["symbols"]:
        yield Finding(Kind.MISSING_ENUM_SYMBOLS, path, ", ".join(missing), ", ".join(reader["symbols"]))


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


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _text(schema: Any) -> str:
    if isinstance(schema, list):
        return " or ".join(_text(branch) for branch in schema)
    if isinstance(schema, dict) and "name" in schema:
        return f"{_kind(schema)} {schema['name']}"
    return _kind(schema)


def _unique(findings: Iterator[Finding]) -> list[Finding]:
    return list(dict.fromkeys(findings))
