"""The Avro schemas of writers: parsed by fastavro, and refused where reading by them could do harm.

fastavro reads in C, without a limit on depth or items: a schema made for it lets a message of a few bytes
overflow the stack, which ends the process, or fill the memory. No version of the contract allows either.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.serialization.avro.schema import ENVELOPE, PAYLOAD, schema_text
from immersiverse.auth.events.serialization.json.times import format_duration, format_timestamp

if TYPE_CHECKING:
    from types import ModuleType

    Types = dict[str, dict[str, Any]]

_INVALID: Final = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
_MAX_DEPTH: Final = 100
_FREE, _FREE_BY_BYTE = 8, 2  # values that may take no bytes: so many, and so many more for each byte


@dataclass(frozen=True, slots=True)
class ParsedSchemas:
    """A writer's schema and this contract's, as fastavro takes them.

    Attributes:
        writer: the writer's.
        types: all named types of the writer's by their full names.
        reader: this contract's, to resolve to; None if the writer's is the same.
        envelope: this contract's, without the payload.
    """

    writer: dict[str, Any]
    types: Types
    reader: dict[str, Any] | None
    envelope: dict[str, Any]

    def writer_type(self, name: str) -> dict[str, Any]:
        """One of the writer's records, as a schema of its own."""
        return {**self.types[name], "__fastavro_parsed": True, "__named_schemas": self.types}


def parse_schemas(fastavro: ModuleType, text: str) -> ParsedSchemas:
    """A writer's schema from its text, with this contract's.

    Raises:
        ValueError: if it is not the envelope's, or reading by it could do harm; with what it is.
    """
    types: Types = {}
    try:
        declared = orjson.loads(text)
        writer = fastavro.parse_schema(declared, types)
        _Weights(types).of(writer)
    except (*_INVALID, fastavro.schema.SchemaParseException) as error:
        raise ValueError(f"an Avro schema that cannot be used: {error or type(error).__name__}") from error
    _require_envelope(writer)
    ours = orjson.loads(schema_text())
    envelope = {**ours, "fields": [field for field in ours["fields"] if field["name"] != PAYLOAD]}
    reader = None if declared == ours else fastavro.parse_schema(ours)
    return ParsedSchemas(writer, types, reader, fastavro.parse_schema(envelope))


def _require_envelope(schema: Any) -> None:
    if not isinstance(schema, dict) or "fields" not in schema:
        raise ValueError("an Avro schema that is not of a record")
    if schema["name"] != ENVELOPE:
        raise ValueError(f"record {schema['name']}")
    payloads = [field["type"] for field in schema["fields"] if field["name"] == PAYLOAD]
    if not payloads or not isinstance(payloads[0], list):
        raise ValueError(f"record {ENVELOPE} without a union of payloads")


class _Weights:
    """How many values a type has at least, in how many bytes, and how deep types in it are nested."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._known: dict[str, tuple[int, int, int]] = {}
        self._open: set[str] = set()

    def of(self, kind: Any) -> tuple[int, int, int]:
        if isinstance(kind, str):
            return self.of(self._types[kind]) if kind in self._types else (1, kind != "null", 1)
        if isinstance(kind, list):
            return 1, 1, 1 + max((self.of(branch)[2] for branch in kind), default=0)
        if "fields" in kind:
            return self._of_record(kind)
        if "items" in kind:
            _, size, depth = self.of(kind["items"])
            if not size:
                raise ValueError("an array of items that take no bytes")
            return 1, 1, 1 + depth
        if "values" in kind:
            return 1, 1, 1 + self.of(kind["values"])[2]
        return 1, max(kind.get("size", 1), 0), 1

    def _of_record(self, record: dict[str, Any]) -> tuple[int, int, int]:
        name = record["name"]
        if name in self._open:
            raise ValueError(f"record {name} contains itself")
        if name not in self._known:
            self._open.add(name)
            inner = [self.of(field["type"]) for field in record["fields"]]
            self._open.discard(name)
            values, size = 1 + sum(each[0] for each in inner), sum(each[1] for each in inner)
            depth = 1 + max((each[2] for each in inner), default=0)
            if values > _FREE + _FREE_BY_BYTE * size:
                raise ValueError(f"record {name} holds {values} values in {size} bytes")
            if depth > _MAX_DEPTH:
                raise ValueError(f"record {name} holds types in types, more than {_MAX_DEPTH} deep")
            self._known[name] = values, size, depth
        return self._known[name]


def payload_as_json(types: Types, name: str, payload: dict[str, Any]) -> dict[str, Any]:
    """A payload in the form of proto3's JSON: what is null or its field's default is left out."""
    return _as_json(types, name, payload)  # type: ignore[no-any-return]  # a record's is an object


def _as_json(types: Types, kind: Any, value: Any) -> Any:
    if isinstance(value, tuple):  # out of a union, with its type's name
        return _as_json(types, *value)
    if isinstance(kind, list):  # a union of null and one other
        kind = next((branch for branch in kind if branch != "null"), None)
    inner = types.get(kind, {}) if isinstance(kind, str) else kind or {}
    if isinstance(value, list):
        return [_as_json(types, inner.get("items"), item) for item in value]
    if not isinstance(value, dict):
        return _scalar_as_json(value)
    if "fields" in inner:
        return _record_as_json(types, inner, value)
    return {key: _as_json(types, inner.get("values"), item) for key, item in value.items()}


def _record_as_json(types: Types, record: dict[str, Any], value: dict[str, Any]) -> Any:
    out = {}
    for field in record["fields"]:
        found = value[field["name"]]
        if found not in (None, b"", field.get("default")):  # of bytes, the default is text
            out[_camel_case(field["name"])] = _as_json(types, field["type"], found)
    if record["name"] == Duration.DESCRIPTOR.full_name:
        try:
            return format_duration(Duration(**value))
        except (TypeError, ValueError):
            return out
    return out


def _scalar_as_json(value: Any) -> Any:
    match value:
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case datetime():
            time = Timestamp()
            time.FromDatetime(value)
            return format_timestamp(time)
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case str() | int() | float() | None:
            return value
    return str(value)  # a decimal, a date


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
