"""Frames of Confluent's JSON Schema serializer."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from immersiverse.auth.events.errors import MalformedPayload, WrongSchema
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.serialization.json.schema import schema_text
from immersiverse.auth.events.serialization.schemas import WriterSchema
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from serialization_samples import CREATED

FRAME = b"\x00\x00\x00\x00\x07"
GUID = uuid.UUID(int=7)
BOTH = json.dumps({"oneOf": [json.loads(schema_text(name)) for name in ("UserCreated", "UserDeleted")]})


class Registry:
    """Holds one JSON schema."""

    def __init__(self, text: str) -> None:
        self.text = text

    def writer_schema(self, schema_id: int | uuid.UUID) -> WriterSchema:
        assert schema_id in (7, GUID)
        return WriterSchema("JSON", text=self.text)


def read(text: str, value: bytes, **options: Any) -> Any:
    return AuthEventDeserializer(Registry(text)).deserialize(value, **options)


@pytest.mark.parametrize("text", [schema_text("UserCreated"), BOTH])
def test_an_event_is_read_behind_a_frame(text: str) -> None:
    assert read(text, FRAME + write_json(CREATED)) == CREATED


def test_an_event_is_read_whose_schema_is_named_in_a_header() -> None:
    header = ("__value_schema_id", b"\x01" + GUID.bytes)
    assert read(schema_text("UserCreated"), write_json(CREATED), headers=[header]) == CREATED


def test_a_schema_that_names_no_type_allows_any() -> None:
    schema = json.loads(schema_text("UserCreated"))
    schema["properties"]["eventType"] = {"type": "string"}
    assert read(json.dumps(schema), FRAME + write_json(CREATED)) == CREATED


def test_an_event_newer_than_the_reader_is_unknown() -> None:
    text = schema_text("UserCreated").replace("UserCreated", "Later")
    event = read(text, FRAME + write_json(CREATED).replace(b"UserCreated", b"Later"))
    assert isinstance(event, UnknownEvent)
    assert event.event_type == "Later"


@pytest.mark.parametrize("text", [schema_text("UserDeleted"), BOTH.replace("UserCreated", "UserUpdated")])
def test_an_event_of_another_type_than_its_schemas_is_malformed(text: str) -> None:
    with pytest.raises(MalformedPayload, match="eventType: is not the type that its schema describes"):
        read(text, FRAME + write_json(CREATED))


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "true", "{}", '{"type":"string"}', '{"properties":{"eventType":{}}}',
        '{"properties":[]}', '{"oneOf":[true]}',
        json.dumps({"anyOf": [json.loads(schema_text("UserCreated")), {"type": "object"}]}),
    ],
)  # fmt: skip
def test_a_schema_of_something_else_is_the_wrong_schema(text: str) -> None:
    with pytest.raises(WrongSchema, match="schema id 7 leads to a JSON schema"):
        read(text, FRAME + write_json(CREATED))


@pytest.mark.parametrize("payload", [b"", b"{", b"\x00", b"[]"])
def test_what_is_not_an_event_is_malformed(payload: bytes) -> None:
    with pytest.raises(MalformedPayload):
        read(schema_text("UserCreated"), FRAME + payload)
