"""A writer's Avro schema, understood: its types with their names resolved.

Source: Avro 1.12 specification, "Schema Declaration" and "Names". Reading needs no more of a schema: what a
registry holds has been checked there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

_PRIMITIVES: Final = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string"))
_FREE, _FREE_BY_BYTE = 8, 2


@dataclass(frozen=True, slots=True)
class Primitive:
    """A type without a name of its own; `logical` is its logical type, such as ``timestamp-micros``."""

    kind: str
    logical: str = ""


@dataclass(frozen=True, slots=True)
class Fixed:
    """So many bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class Enum:
    """One of some symbols, in the order of their positions."""

    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """Any number of items."""

    items: Type


@dataclass(frozen=True, slots=True)
class Map:
    """Any number of values, each under a string."""

    values: Type


@dataclass(frozen=True, slots=True)
class Union:
    """One of some types, in the order of their positions."""

    branches: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record; `default` is absent from the schema if it is ``...``."""

    name: str
    type: Type
    default: Any = ...


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Named fields, in the order of their bytes; added after the record is made, since it may hold itself."""

    name: str
    fields: list[Field] = field(default_factory=list, repr=False)


Type = Primitive | Fixed | Enum | Array | Map | Union | Record


def parse_types(text: str) -> Type:
    """The type that a schema declares.

    Raises:
        ValueError: if it is no Avro schema, or one that lets a few bytes stand for endless records.
    """
    parser = _Parser()
    try:
        parsed = parser.parse(orjson.loads(text), "")
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        raise ValueError(f"not an Avro schema: {error!r}") from error
    _refuse_costly(parser.records)
    return parsed


class _Parser:
    def __init__(self) -> None:
        self._named: dict[str, Type] = {}
        self.records: list[Record] = []

    def parse(self, schema: Any, namespace: str) -> Type:  # noqa: PLR0911 - one for each way to write a type
        match schema:
            case str():
                return Primitive(schema) if schema in _PRIMITIVES else self._named[_full(schema, namespace)]
            case list():
                return Union(tuple(self.parse(branch, namespace) for branch in schema))
            case {"type": "array"}:
                return Array(self.parse(schema["items"], namespace))
            case {"type": "map"}:
                return Map(self.parse(schema["values"], namespace))
            case {"type": "record" | "error" | "enum" | "fixed"}:
                return self._declared(schema, namespace)
            case {"type": str(kind), "logicalType": str(logical)} if kind in _PRIMITIVES:
                return Primitive(kind, logical)
        return self.parse(schema["type"], namespace)

    def _declared(self, schema: dict[str, Any], namespace: str) -> Type:
        name = _full(schema["name"], schema.get("namespace", namespace))
        if name in self._named:
            raise ValueError(f"{name} is declared twice")
        match schema["type"]:
            case "enum":
                found: Type = Enum(tuple(schema["symbols"]))
            case "fixed":
                found = Fixed(int(schema["size"]))
            case _:
                return self._record(schema, name)
        self._named[name] = found
        return found

    def _record(self, schema: dict[str, Any], name: str) -> Record:
        record = Record(name)
        self._named[name] = record
        self.records.append(record)
        namespace = name.rpartition(".")[0]
        for each in schema["fields"]:
            record.fields.append(
                Field(each["name"], self.parse(each["type"], namespace), each.get("default", ...))
            )
        return record


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _refuse_costly(records: list[Record]) -> None:
    """A value without bytes costs its writer nothing and its reader some work: few may come with each byte.

    Arrays, maps and unions take a byte at least, and their records are looked at on their own. So reading
    takes no more than some microseconds a byte, whatever the schema.
    """
    weights = _Weights()
    try:
        for record in records:
            weights.of_record(record)
    except RecursionError as error:
        raise ValueError("records hold records too deeply") from error


class _Weights:
    """How many values are read for a type at least, and from how many bytes."""

    def __init__(self) -> None:
        self._known: dict[Record, tuple[int, int]] = {}
        self._open: set[Record] = set()

    def of(self, kind: Type) -> tuple[int, int]:
        match kind:
            case Primitive("null"):
                return 1, 0
            case Fixed(size):
                return 1, max(size, 0)
            case Record():
                return self.of_record(kind)
        return 1, 1

    def of_record(self, record: Record) -> tuple[int, int]:
        if record in self._open:
            raise ValueError("records hold records without end")
        if record not in self._known:
            self._open.add(record)
            inner = [self.of(each.type) for each in record.fields]
            self._open.discard(record)
            values, size = 1 + sum(count for count, _ in inner), sum(size for _, size in inner)
            if values > _FREE + _FREE_BY_BYTE * size:
                raise ValueError(f"{record.name} holds {values} values in {size} bytes")
            self._known[record] = values, size
        return self._known[record]
