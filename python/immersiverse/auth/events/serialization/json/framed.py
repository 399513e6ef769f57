"""Frames of Confluent's JSON Schema serializer: magic byte, the id of a JSON schema, an event as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from immersiverse.auth.events.errors import MalformedPayload, WrongSchema
from immersiverse.auth.events.serialization.json.codec import read_json
from immersiverse.auth.events.serialization.json.documents import EVENT_TYPE, PAYLOAD, TIMESTAMP
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from immersiverse.auth.events.serialization.schemas import WriterSchema
    from immersiverse.auth.events.serialization.unknown import Decoded, Reader


def reader(writer: WriterSchema | None, schema_id: int | str) -> Reader:
    """A reader of what was written under a JSON schema, which must be that of an event, or of several.

    Raises:
        WrongSchema: if it is not.
    """
    types = _event_types(writer.text, schema_id) if writer is not None else set()

    def read(payload: bytes) -> Decoded:
        event = read_json(payload)
        name = event.event_type if isinstance(event, UnknownEvent) else _name(event)
        if types and name.rpartition(".")[2] not in types:
            raise MalformedPayload("is not the type that its schema describes", EVENT_TYPE)
        return event

    return read


def _name(event: Any) -> str:
    return str(getattr(event, event.WhichOneof("payload")).DESCRIPTOR.name)


def _event_types(text: str, schema_id: int | str) -> set[str]:
    """The event types that a schema allows by ``const`` or ``enum``; empty if it allows any."""
    try:
        schema = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise WrongSchema(schema_id, "a JSON schema that is not JSON") from error
    allowed: set[str] = set()
    for each in _alternatives(schema):
        properties = each.get("properties") if isinstance(each, dict) else None
        if not isinstance(properties, dict) or not {EVENT_TYPE, TIMESTAMP, PAYLOAD} <= properties.keys():
            raise WrongSchema(schema_id, "a JSON schema of something else")
        described = properties[EVENT_TYPE] if isinstance(properties[EVENT_TYPE], dict) else {}
        values = [described["const"]] if "const" in described else described.get("enum")
        if not isinstance(values, list):
            return set()
        allowed |= {str(value).rpartition(".")[2] for value in values}
    return allowed


def _alternatives(schema: Any) -> list[Any]:
    """The schemas of the types that one schema is of, for topics that carry several."""
    for name in ("oneOf", "anyOf"):
        if isinstance(schema, dict) and isinstance(schema.get(name), list) and schema[name]:
            return list(schema[name])
    return [schema]
