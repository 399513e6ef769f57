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

from immersiverse.auth.events.descriptors import default_json_name
from immersiverse.auth.events.serialization.avro.schema import ENVELOPE, PAYLOAD, schema_text
from immersiverse.auth.events.serialization.json.times import format_duration, format_timestamp

if TYPE_CHECKING:
    from types import ModuleType

    Types = dict[str, dict[str, Any]]

_INVALID: Final = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
_MAX_DEPTH: Final = 100


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
        _Depths(types).of(writer, in_union=True)
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


class _Depths:
    """How deep types are nested in a type.

    Every value outside a union takes a byte at least, so that a message holds no more of them than it has
    bytes.
    """

    def __init__(self, types: Types) -> None:
        self._types = types
        self._known: dict[str, int] = {}
        self._open: set[str] = set()

    def of(self, kind: Any, *, in_union: bool = False) -> int:
        if isinstance(kind, list):
            return 1 + max((self.of(branch, in_union=True) for branch in kind), default=0)
        if isinstance(kind, str):
            kind = self._types.get(kind, {"type": kind})
        if not in_union and (
            kind["type"] == "null" or not kind.get("fields", True) or kind.get("size", 1) < 1
        ):
            raise ValueError(f"{kind.get('name', 'null')} takes no bytes")
        if "fields" in kind:
            return self._of_record(kind)
        inner = kind.get("items", kind.get("values"))
        return 1 if inner is None else 1 + self.of(inner)

    def _of_record(self, record: dict[str, Any]) -> int:
        name = record["name"]
        if name in self._open:
            raise ValueError(f"record {name} contains itself")
        if name not in self._known:
            self._open.add(name)
            self._known[name] = 1 + max((self.of(field["type"]) for field in record["fields"]), default=0)
            self._open.discard(name)
        if self._known[name] > _MAX_DEPTH:
            raise ValueError(f"record {name} holds types in types, more than {_MAX_DEPTH} deep")
        return self._known[name]


def payload_as_json(types: Types, kind: Any, value: Any) -> Any:
    """A payload in the form of proto3's JSON: what is null or its field's default is left out.

    Args:
        types: the writer's named types.
        kind: the type of the value: a record's name, or a schema.
        value: what fastavro read.
    """
    if isinstance(value, tuple):  # out of a union, with its type's name
        return payload_as_json(types, *value)
    if isinstance(kind, list):  # a union of null and one other
        kind = next((branch for branch in kind if branch != "null"), None)
    inner = types.get(kind, {}) if isinstance(kind, str) else kind or {}
    if isinstance(value, list):
        return [payload_as_json(types, inner.get("items"), item) for item in value]
    if isinstance(value, dict) and "fields" in inner:
        return _record_as_json(types, inner, value)
    if isinstance(value, dict):
        return {key: payload_as_json(types, inner.get("values"), item) for key, item in value.items()}
    return _scalar_as_json(value)


def _record_as_json(types: Types, record: dict[str, Any], value: dict[str, Any]) -> Any:
    out = {}
    for field in record["fields"]:
        found = value[field["name"]]
        if found not in (None, b"", field.get("default")):  # of bytes, the default is text
            out[default_json_name(field["name"])] = payload_as_json(types, field["type"], found)
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
