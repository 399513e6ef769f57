"""What a change of the contract does to its JSON Schemas and its Avro schema."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from golden.corpus.release import releases
from immersiverse.auth.events.compatibility import Level, Schema, views
from immersiverse.auth.events.serialization.schemas import CONTRACT_FILE
from immersiverse.auth.events.v1 import options_pb2
from later_version import newer_contract

OPTIONS = FileDescriptorProto.FromString(options_pb2.DESCRIPTOR.serialized_pb)
FULL, BACKWARD = Level.FULL_TRANSITIVE, Level.BACKWARD_TRANSITIVE


def contract(*edits):
    """The contract after some edits, each a function of its file."""
    file = FileDescriptorProto.FromString(CONTRACT_FILE.SerializeToString())
    for edit in edits:
        edit(file)
    return Schema(file, {OPTIONS.name: OPTIONS})


def message(file: FileDescriptorProto, name: str) -> DescriptorProto:
    return next(each for each in file.message_type if each.name == name)


def field(file: FileDescriptorProto, path: str) -> FieldDescriptorProto:
    held, _, name = path.partition(".")
    return next(each for each in message(file, held).field if each.name == name)


def rules(path, **values):
    def edit(file):
        found = field(file, path)
        known = type(found.options).FromString(found.options.SerializeToString())
        for name, value in values.items():
            setattr(known.Extensions[options_pb2.field], name, value)
        found.options.CopyFrom(known)

    return edit


def told(changes):
    return {(str(change.kind), change.path) for change in changes}


def test_a_contract_that_did_not_change_forbids_nothing():
    assert views.check_json(contract(), [contract()], level=FULL) == []
    assert views.check_avro(contract(), [contract()], level=FULL) == []


@pytest.mark.parametrize("release", releases(), ids=lambda release: release.version)
def test_todays_contract_breaks_no_release(release):
    old = Schema.from_set(release.descriptors, CONTRACT_FILE.name)
    assert views.check_json(contract(), [old], level=BACKWARD) == []
    assert views.check_avro(contract(), [old], level=BACKWARD) == []


def test_the_avro_view_of_a_release_is_what_it_registered():
    for release in releases():
        old = Schema.from_set(release.descriptors, CONTRACT_FILE.name)
        assert views.avro_text(old) == release.schemas.avro


def test_a_new_event_and_a_new_optional_field_break_nobody():
    def grown(file):
        message(file, "LoggedOut").field.add(name="device", number=50, label=1, type=9, json_name="device")

    newer = Schema(newer_contract(), {OPTIONS.name: OPTIONS})
    for later in (newer, contract(grown)):
        assert views.check_json(later, [contract()], level=FULL) == []
        assert views.check_avro(later, [contract()], level=BACKWARD) == []


def test_a_field_that_becomes_required_is_missed_in_json():
    later = contract(rules("LoggedOut.session_id", required=True))
    assert told(views.check_json(later, [contract()], level=BACKWARD)) == {
        ("REQUIRED_ATTRIBUTE_ADDED", "#/LoggedOut/properties/payload/required/sessionId"),
        ("MIN_LENGTH_ADDED", "#/LoggedOut/properties/payload/properties/sessionId/minLength"),
    }


def test_a_limit_that_is_tightened_is_told_with_its_place_and_its_sides():
    later = contract(rules("LoggedOut.session_id", max_length=10))
    (change,) = views.check_json(later, [contract(), contract()], level=Level.BACKWARD)
    assert (change.kind, change.old, change.new, change.version) == ("MAX_LENGTH_DECREASED", "255", "10", 1)
    assert change.path == "#/LoggedOut/properties/payload/properties/sessionId/maxLength"


def test_what_is_within_the_envelope_is_told_of_every_event():
    later = contract(rules("Actor.id", max_length=10))
    changes = views.check_json(later, [contract()], level=BACKWARD)
    assert len(changes) == len(message(CONTRACT_FILE, "AuthEvent").field) - 5
    assert {change.path.partition("/properties")[2] for change in changes} == {
        "/actor/properties/id/maxLength"
    }


def test_a_type_that_changes_breaks_both_views():
    def retyped(file):
        field(file, "LoggedOut.session_id").type = FieldDescriptorProto.TYPE_BOOL
        field(file, "LoggedOut.session_id").ClearField("options")

    later = contract(retyped)
    assert ("TYPE_CHANGED", "#/LoggedOut/properties/payload/properties/sessionId") in told(
        views.check_json(later, [contract()], level=BACKWARD)
    )
    assert told(views.check_avro(later, [contract()], level=BACKWARD)) == {
        ("MISSING_UNION_BRANCH", "#/AuthEvent/payload")
    }


def test_a_file_of_another_contract_has_no_views():
    other = Schema(FileDescriptorProto(name="other.proto", package="other", syntax="proto3"))
    assert views.check_json(other, [contract()], level=FULL) == []
    assert views.check_avro(contract(), [other], level=FULL) == []
