"""Avro data to JSON values by its writer's schema alone: what unknown payloads say, what is passed over."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.serialization import avro_binary as binary
from immersiverse.auth.events.serialization.avro_types import (
    Array,
    Enum,
    Fixed,
    Map,
    Primitive,
    Record,
    Union,
)
from immersiverse.auth.events.serialization.timestamps import NANOS, format_duration, format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.serialization.avro_binary import Read
    from immersiverse.auth.events.serialization.avro_types import Field, Type

TICKS: Final = {"timestamp-millis": 1_000, "timestamp-micros": 1_000_000, "timestamp-nanos": NANOS}
"""How many units of a logical type make a second."""

_DURATION = "google.protobuf.Duration"


class ValueReaders:
    """Readers of one schema's types. What is null or its field's default is left out, as in proto3's JSON.

    They raise what ``avro_binary`` raises, and UnicodeDecodeError.
    """

    def __init__(self) -> None:
        self._records: dict[Record, Read] = {}

    def reader(self, kind: Type) -> Read:  # noqa: PLR0911 - one for each kind of type
        """The reader of a type."""
        match kind:
            case Primitive("long", logical) if logical in TICKS:
                return _converted(binary.read_long, _time(TICKS[logical]))
            case Primitive():
                return _PRIMITIVES[kind.kind]
            case Fixed(size):
                return _converted(lambda data, at: binary.read_fixed(data, at, size), _base64)
            case Enum(symbols):
                return _enum(symbols)
            case Array(items):
                item = self.reader(items)
                return lambda data, at: binary.read_blocks(data, at, item)
            case Map(values):
                return _converted(_entries(self.reader(values)), dict)
            case Union(branches):
                return _union([self.reader(branch) for branch in branches])
            case Record():
                return self._record(kind)

    def _record(self, record: Record) -> Read:
        if record in self._records:
            return self._records[record]
        self._records[record] = lambda data, at: read(data, at)  # noqa: PLW0108 - not yet defined: it may hold itself
        fields = [(_camel_case(f.name), self.reader(f.type), _absence(f)) for f in record.fields]

        def read(data: bytes, at: int) -> tuple[Any, int]:
            out = {}
            for name, part, absence in fields:
                value, at = part(data, at)
                if value is not None and value != absence:
                    out[name] = value
            return out, at

        self._records[record] = _converted(read, _duration) if record.name == _DURATION else read
        return self._records[record]


def _converted(read: Read, convert: Callable[[Any], Any]) -> Read:
    def read_converted(data: bytes, at: int) -> tuple[Any, int]:
        value, at = read(data, at)
        return convert(value), at

    return read_converted


def _union(branches: list[Read]) -> Read:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        index, at = binary.read_index(data, at, len(branches))
        return branches[index](data, at)

    return read


def _enum(symbols: tuple[str, ...]) -> Read:
    def read(data: bytes, at: int) -> tuple[str, int]:
        index, at = binary.read_index(data, at, len(symbols))
        return symbols[index], at

    return read


def _entries(value: Read) -> Read:
    def read_entry(data: bytes, at: int) -> tuple[Any, int]:
        key, at = binary.read_bytes(data, at)
        item, at = value(data, at)
        return (key.decode(), item), at

    return lambda data, at: binary.read_blocks(data, at, read_entry)


def _time(ticks: int) -> Callable[[int], str | int]:
    def text(number: int) -> str | int:
        seconds, rest = divmod(number, ticks)
        try:
            return format_timestamp(Timestamp(seconds=seconds, nanos=rest * (NANOS // ticks)))
        except ValueError:
            return number  # outside the years that have a text

    return text


def _duration(fields: dict[str, int]) -> str | dict[str, int]:
    try:
        return format_duration(Duration(**fields))
    except (TypeError, ValueError):
        return fields


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _absence(field: Field) -> Any:
    """The value that stands for absence, if the schema names one: a zero, or an enum's default."""
    if isinstance(field.type, Enum) or not field.default:
        return field.default
    return ...


_PRIMITIVES: Final[dict[str, Read]] = {
    "null": lambda _, at: (None, at),
    "boolean": binary.read_boolean,
    "int": binary.read_long,
    "long": binary.read_long,
    "float": _converted(binary.read_float, _number),
    "double": _converted(binary.read_double, _number),
    "bytes": _converted(binary.read_bytes, _base64),
    "string": _converted(binary.read_bytes, bytes.decode),
}
