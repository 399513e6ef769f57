"""What is recorded of an event: its meaning, and the bytes of every format."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.errors import UnknownSchemaId
from immersiverse.auth.events.serialization.schemas import SchemaId, SchemaType, WriterSchema
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

PROTOBUF_ID, AVRO_ID = 1, 2
"""The schema ids in recorded frames."""


@dataclass(frozen=True)
class Schemas:
    """A registry that knows one version of the contract, under the ids of recorded frames.

    Attributes:
        file: its contract file.
        avro: its Avro schema.
    """

    file: FileDescriptorProto
    avro: str

    def schema_id(self, topic: str, schema_type: SchemaType) -> SchemaId:  # noqa: ARG002 - one for all
        """As of SchemaIds."""
        return SchemaId(PROTOBUF_ID if schema_type == "PROTOBUF" else AVRO_ID)

    def writer_schema(self, schema_id: int | uuid.UUID) -> WriterSchema:
        """As of WriterSchemas."""
        if schema_id == PROTOBUF_ID:
            return WriterSchema("PROTOBUF", self.file)
        if schema_id == AVRO_ID:
            return WriterSchema("AVRO", text=self.avro)
        raise UnknownSchemaId(str(schema_id))


@dataclass(frozen=True)
class Forms:
    """One event in every form.

    Attributes:
        meaning: the event in Protobuf's own canonical JSON, which none of this project's code had a part in.
        json: its JSON message.
        protobuf: its frame in Protobuf.
        avro: its frame in Avro.
    """

    meaning: dict[str, Any]
    json: bytes
    protobuf: bytes
    avro: bytes

    def document(self) -> dict[str, Any]:
        """The forms as JSON: the message as the text that it is, frames in hexadecimal."""
        return {
            "event": self.meaning,
            "json": self.json.decode(),
            "protobuf": self.protobuf.hex(),
            "avro": self.avro.hex(),
        }

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Forms:
        """The forms that a document holds."""
        frames = (bytes.fromhex(document[name]) for name in ("protobuf", "avro"))
        return cls(document["event"], document["json"].encode(), *frames)

    @property
    def values(self) -> dict[str, bytes]:
        """The bytes by the names of their formats."""
        return {"json": self.json, "protobuf": self.protobuf, "avro": self.avro}


def written(event: AuthEvent, schemas: Schemas) -> Forms:
    """An event in every form, as this version writes it."""
    json, protobuf, avro = (
        AuthEventSerializer(schemas, format=name).serialize(event).value
        for name in ("json", "protobuf", "avro")
    )
    return Forms(json_format.MessageToDict(event), json, protobuf, avro)
