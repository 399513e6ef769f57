"""The explanation of each kind of change, and what the comparison costs."""

from __future__ import annotations

import json
from time import process_time

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.compatibility_level import Direction
from immersiverse.auth.events.schema_checks.changes import Change
from immersiverse.auth.events.schema_checks.kinds import ChangeKind, Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.schema_checks.version import ProtoSchema


@pytest.mark.parametrize("kind", ChangeKind)
@pytest.mark.parametrize("direction", Direction)
def test_every_kind_says_who_breaks_and_what_to_do_or_that_it_is_safe(kind, direction):
    change = Change(kind, "#/Book/1", "", "", compatible=False, direction=direction)
    assert change.sentence.endswith(".")
    assert "  " not in change.sentence
    if any(rules.refuses(kind) for rules in Rules):
        assert change.affects
        assert change.sentence.count(". ") >= 1


def test_strict_refuses_all_that_confluent_refuses():
    assert {kind for kind in ChangeKind if Rules.CONFLUENT.refuses(kind)} < {
        kind for kind in ChangeKind if Rules.STRICT.refuses(kind)
    }


def test_kinds_and_values_are_spelled_alike_since_tools_compare_them():
    assert all(kind.name == kind.value for kind in ChangeKind)


def test_a_change_is_plain_data_on_request(schema):
    old, new = schema("message Book { string title = 1; }"), schema("message Book { int32 title = 1; }")
    (change,) = compare(old, new)
    data = json.loads(json.dumps(change.document()))
    assert data.pop("sentence") == change.sentence
    assert data == {
        "kind": "FIELD_SCALAR_KIND_CHANGED",
        "path": "#/Book/1",
        "old": "string title = 1",
        "new": "int32 title = 1",
        "compatible": False,
        "direction": "backward",
        "version": None,
        "affects": ["producers", "consumers", "json", "code"],
        "file": "",
        "against": "",
        "subject": None,
        "place": "",
        "events": [],
    }


def large_schema(messages, mark):
    """A chain of messages with ten fields each; every tenth has a field more if marked."""
    file = FileDescriptorProto(name="large.proto", package="large", syntax="proto3")
    for number in range(messages):
        message = file.message_type.add(name=f"M{number}")
        for field in range(1, 10):
            message.field.add(name=f"f{field}", number=field, label=1, type=9)
        message.field.add(
            name="next", number=10, label=1, type=11, type_name=f".large.M{(number + 1) % messages}"
        )
        if mark and number % 10 == 0:
            message.field.add(name="mark", number=11, label=1, type=5)
    return ProtoSchema(file)


@pytest.mark.parametrize("rules", Rules)
def test_a_thousand_messages_are_compared_within_a_second(rules):
    old, new = large_schema(1000, mark=False), large_schema(1000, mark=True)
    start = process_time()
    changes = compare(old, new, rules=rules)
    assert len(changes) == 100
    assert process_time() - start < 1


def test_a_chain_of_ten_thousand_imported_messages_is_followed_to_its_end():
    def chained(kind):
        imported = large_schema(10_000, mark=False).root
        imported.message_type[9_999].field[0].type = kind
        file = FileDescriptorProto(name="top.proto", syntax="proto3", dependency=["large.proto"])
        message = file.message_type.add(name="Top")
        message.field.add(name="first", number=1, label=1, type=11, type_name=".large.M0")
        return ProtoSchema(file, {"large.proto": imported})

    changes = {f"{change.kind} {change.path}" for change in compare(chained(9), chained(5))}
    assert {"FIELD_SCALAR_KIND_CHANGED #/M9999/1", "FIELD_NAMED_TYPE_CHANGED #/Top/1"} < changes
