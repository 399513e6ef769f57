"""What JSON says of any message, whatever its fields, is what its JSON Schema allows."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from hypothesis import assume, given
from jsonschema import Draft202012Validator

from immersiverse.auth.events.serialization.json.schema import message_schema
from property.test_json_mapping import EVERYTHING, MESSAGES, WRITE

EVERY_TYPE: Any = EVERYTHING.DESCRIPTOR
VALIDATOR: Any = Draft202012Validator(message_schema(EVERY_TYPE))


def test_the_schema_of_every_kind_of_field_is_a_schema() -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)
    names = {field.json_name for field in EVERY_TYPE.fields}
    assert set(VALIDATOR.schema["properties"]) == names


@given(MESSAGES)
def test_any_message_that_json_can_say_is_taken_by_its_schema(message: Message) -> None:
    try:
        document = WRITE(message)
    except ValueError:
        assume(False)
    assert [error.json_path for error in VALIDATOR.iter_errors(document)] == []
