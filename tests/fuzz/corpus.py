"""Valid messages of every event type in every format: what mutations begin with."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field

from immersiverse.auth.events import catalog
from immersiverse.auth.events.events import event_type_of
from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.serialization.json.schema import schema_text
from immersiverse.auth.events.serialization.schemas import PinnedSchemas, SchemaId, WriterSchema
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.serialization.wire import VALUE_SCHEMA_ID_HEADER, frame_prefix, header_value
from immersiverse.auth.events.simulation import simulate
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from later_version import newer_contract, newer_event
from serialization_samples import minimal_json

PROTOBUF_GUID = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
AVRO_GUID = uuid.UUID("89abcdef-0123-4567-89ab-cdef01234567")
_IDS = PinnedSchemas(protobuf=1, avro=2)
_NEWER, _JSON = 3, 4
_JSON_SCHEMAS = json.dumps({"oneOf": [json.loads(schema_text(name)) for name in catalog.EVENT_TYPES]})
_EACH = 3  # events of a type


@dataclass(frozen=True)
class Message:
    """What a consumer hands over.

    Attributes:
        format: what it was before it was mutated.
        value: the value.
        header: the value of the header that names the schema; None for a message without.
        attributes: the headers of a CloudEvent in binary mode.
    """

    format: str
    value: bytes
    header: bytes | None = None
    attributes: tuple[tuple[str, bytes], ...] = ()

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The message's headers."""
        return [*self.attributes, *([] if self.header is None else [(VALUE_SCHEMA_ID_HEADER, self.header)])]


@dataclass(frozen=True)
class Schemas:
    """The contract under the ids and GUIDs of the corpus."""

    guids: dict[uuid.UUID, int] = field(default_factory=lambda: {PROTOBUF_GUID: 1, AVRO_GUID: 2})

    def writer_schema(self, schema_id: int | uuid.UUID) -> WriterSchema:
        """The contract, or UnknownSchemaId."""
        if schema_id == _NEWER:
            return WriterSchema("PROTOBUF", newer_contract())
        if schema_id == _JSON:
            return WriterSchema("JSON", text=_JSON_SCHEMAS)
        known = self.guids.get(schema_id, schema_id) if isinstance(schema_id, uuid.UUID) else schema_id
        return _IDS.writer_schema(known)

    def schema_id(self, _topic: str, schema_type: str) -> SchemaId:
        """Ids with the corpus' GUIDs."""
        is_avro = schema_type == "AVRO"
        return SchemaId(2, AVRO_GUID) if is_avro else SchemaId(1, PROTOBUF_GUID)


def corpus(seed: int) -> list[Message]:
    """Valid messages, the same for the same seed."""
    known = [message for event in _events(seed) for message in _messages(event)]
    unknown = frame_prefix(_NEWER) + newer_event(user_id="u").SerializeToString()
    return [*known, *[Message("protobuf, newer type", unknown)] * _EACH * len(catalog.EVENT_TYPES)]


def _events(seed: int) -> list[AuthEvent]:
    found: dict[str, list[AuthEvent]] = {name: [] for name in catalog.EVENT_TYPES}
    for event in simulate(seed, events=5_000):
        of_type = found[event_type_of(event).name]
        if len(of_type) < _EACH:
            of_type.append(event)
    return [event for of_type in found.values() for event in of_type]


def _messages(event: AuthEvent) -> list[Message]:
    schemas = Schemas()
    protobuf, avro = (AuthEventSerializer(schemas, format=name) for name in ("protobuf", "avro"))
    framed = protobuf(event), avro(event)
    assert framed[0] is not None
    assert framed[1] is not None
    document = json.loads(write_json(event))
    cloud = {
        "specversion": "1.0",
        "id": document["eventId"],
        "source": document["source"],
        "type": event_type_of(event).full_name,
        "time": document["timestamp"],
        "data": document["payload"],
    }
    attributes = tuple((f"ce_{name}", str(value).encode()) for name, value in cloud.items() if name != "data")
    return [
        Message("protobuf", framed[0]),
        Message("protobuf in header mode", event.SerializeToString(), header_value(PROTOBUF_GUID)),
        Message("json", write_json(event)),
        Message("json, minimal", minimal_json(event)),
        Message("json behind a frame", frame_prefix(_JSON, None) + write_json(event)),
        Message("cloudevents json", json.dumps(cloud).encode()),
        Message(
            "cloudevents in binary mode", json.dumps(document["payload"]).encode(), attributes=attributes
        ),
        Message("avro", framed[1]),
        Message("avro in header mode", framed[1][5:], header_value(AVRO_GUID, None)),
    ]
