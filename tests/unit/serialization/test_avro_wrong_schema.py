"""Schemas that a registry may hold and that no event was written with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from immersiverse.auth.events.errors import MalformedPayload, WrongSchema
from immersiverse.auth.events.serialization.avro import reader, schema_text
from immersiverse.auth.events.serialization.schemas import WriterSchema

PACKAGE = "immersiverse.auth.events.v1"


def schema() -> dict[str, Any]:
    return dict(json.loads(schema_text()))


def with_field(kind: Any) -> str:
    """The contract's schema with one more field in the envelope."""
    return other(fields=[*schema()["fields"], {"name": "extra", "type": kind}])


def refusal(text: str) -> str:
    """What the schema is said to be."""
    with pytest.raises(WrongSchema, match="schema id 5 leads to") as error:
        reader(WriterSchema("AVRO", text=text), 5)
    return error.value.found


def other(**changes: Any) -> str:
    return json.dumps({**schema(), **changes})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "cannot be used"),
        ("{", "cannot be used"),
        ("1", "cannot be used"),
        ("null", "cannot be used"),
        ('{"type":"record"}', "cannot be used"),
        ('{"type":"record","name":"A","fields":[{"name":"b","type":"Missing"}]}', "cannot be used"),
        ("[" * 5000, "cannot be used"),
        ('"string"', "not of a record"),
        ('["null","string"]', "not of a record"),
        (other(name="Other"), f"record {PACKAGE}.Other"),
        (other(namespace="elsewhere"), "record elsewhere.AuthEvent"),
        (other(fields=[]), "without a union of payloads"),
    ],
)
def test_a_schema_that_is_not_the_envelopes_is_the_wrong_schema(text: str, found: str) -> None:
    assert found in refusal(text)


def test_a_name_declared_twice_is_the_wrong_schema() -> None:
    actor = next(each for each in schema()["fields"] if each["name"] == "actor")["type"][1]
    assert "redefined named type" in refusal(with_field(actor))


def test_records_that_contain_themselves_are_the_wrong_schema() -> None:
    for again in ("Endless", ["null", "Endless"], {"type": "array", "items": "Endless"}):
        endless = {"type": "record", "name": "Endless", "fields": [{"name": "again", "type": again}]}
        assert "contains itself" in refusal(with_field(endless))


def test_records_in_records_too_deep_for_the_stack_are_the_wrong_schema() -> None:
    """Also where each is only named in the next, so that the text of the schema is not nested."""
    fields: list[Any] = []
    for depth in range(200):
        inner = [{"name": "f", "type": ["null", f"R{depth - 1}" if depth else "int"]}]
        fields.append({"name": f"f{depth}", "type": {"type": "record", "name": f"R{depth}", "fields": inner}})
    assert "deep" in refusal(with_field({"type": "record", "name": "All", "fields": fields}))


def test_records_that_unfold_to_millions_without_a_byte_are_the_wrong_schema() -> None:
    doubled: Any = {"type": "record", "name": "R0", "fields": []}
    for depth in range(1, 30):
        fields = [{"name": "a", "type": doubled}, {"name": "b", "type": doubled["name"]}]
        doubled = {"type": "record", "name": f"R{depth}", "fields": fields}
    assert "takes no bytes" in refusal(with_field(doubled))


def test_a_record_of_many_fields_that_take_bytes_is_not() -> None:
    fields = [{"name": f"f{number}", "type": "string"} for number in range(5_000)]
    text = with_field({"type": "record", "name": "Wide", "fields": fields})
    with pytest.raises(MalformedPayload):  # nothing is wrong but the data
        reader(WriterSchema("AVRO", text=text), 5)(b"")
