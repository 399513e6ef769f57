"""What a contract must be by itself: each rule by one edit of the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.schema_checks.contract_rules import contract_faults
from immersiverse.auth.events.v1 import options_pb2

Edit = Callable[[FileDescriptorProto], Any]
OURS = f".{CONTRACT_FILE.package}."
Kinds = FieldDescriptorProto
RANGE, KEY = "NUMBER_OUTSIDE_RANGE", "PARTITION_KEY"


def faults(edit: Edit) -> set[tuple[str, str]]:
    file = FileDescriptorProto.FromString(CONTRACT_FILE.SerializeToString())
    edit(file)
    return {(fault.path, fault.rule) for fault in contract_faults(file)}


def texts(edit: Edit) -> str:
    file = FileDescriptorProto.FromString(CONTRACT_FILE.SerializeToString())
    edit(file)
    return "\n".join(fault.text for fault in contract_faults(file))


def message(file: FileDescriptorProto, name: str) -> DescriptorProto:
    return next(each for each in file.message_type if each.name == name)


def event(file: FileDescriptorProto, name: str) -> options_pb2.EventOptions:
    return message(file, name).options.Extensions[options_pb2.event]


def add_event(
    file: FileDescriptorProto, number: int | None, topic: str = "auth.events.user", key: str = "user_id"
) -> None:
    added = file.message_type.add(name="DeviceTrusted")
    field = added.field.add(name="user_id", number=1, type=Kinds.TYPE_STRING)
    field.options.Extensions[options_pb2.field].personal_data = options_pb2.PERSONAL_DATA_PSEUDONYM
    if topic:
        added.options.Extensions[options_pb2.event].topic = topic
        added.options.Extensions[options_pb2.event].partition_key.append(key)
    if number:
        file.message_type[0].field.add(
            name="device_trusted", number=number, type=Kinds.TYPE_MESSAGE,
            type_name=f"{OURS}DeviceTrusted", oneof_index=0,
        )  # fmt: skip


def add_field(kind: Any, type_name: str = "", **options: Any) -> Edit:
    return lambda file: message(file, "LoggedOut").field.add(
        name="added", number=99, type=kind, type_name=type_name or None, **options
    )


def add_map(file: FileDescriptorProto) -> None:
    entry = message(file, "LoggedOut").nested_type.add(name="AddedEntry")
    entry.options.map_entry = True
    add_field(Kinds.TYPE_MESSAGE, f"{OURS}LoggedOut.AddedEntry", label=Kinds.LABEL_REPEATED)(file)


def test_the_contract_is_complete() -> None:
    assert contract_faults(CONTRACT_FILE) == []


@pytest.mark.parametrize(("number", "topic"), [(28, "auth.events.user"), (80, "auth.events.device")])
def test_an_event_in_its_topics_range_or_on_a_new_topic_is_complete(number: int, topic: str) -> None:
    assert faults(lambda file: add_event(file, number, topic)) == set()


def test_a_topic_whose_range_is_full_gets_another() -> None:
    def fill(file: FileDescriptorProto) -> None:
        file.message_type[0].reserved_range.add(start=28, end=32)
        add_event(file, 80)

    assert faults(fill) == set()


@pytest.mark.parametrize(
    ("edit", "path", "rule"),
    [
        (lambda file: add_event(file, 28, topic=""), "#/AuthEvent/payload/28", "EVENT_WITHOUT_OPTIONS"),
        (lambda file: add_event(file, None), "#/DeviceTrusted", "EVENT_WITHOUT_PAYLOAD_FIELD"),
        (lambda file: add_event(file, 28, "auth.events.login"), "#/AuthEvent/payload/28", RANGE),
        (lambda file: add_event(file, 50), "#/AuthEvent/payload/50", RANGE),
        (lambda file: add_event(file, 80), "#/AuthEvent/payload/80", RANGE),
        (lambda file: add_event(file, 7), "#/AuthEvent/payload/7", RANGE),
        (lambda file: add_event(file, 80, "auth.events.usr"), "#/DeviceTrusted", "TOPIC"),
        (lambda file: add_event(file, 80, "auth.event.device"), "#/DeviceTrusted", "TOPIC"),
        (lambda file: add_event(file, 80, "auth.events.dlq"), "#/DeviceTrusted", "TOPIC"),
        (lambda file: event(file, "LoggedOut").ClearField("topic"), "#/LoggedOut", "TOPIC"),
        (lambda file: event(file, "LoggedOut").partition_key.append("userid"), "#/LoggedOut", KEY),
        (lambda file: event(file, "LoggedOut").partition_key.append("reason"), "#/LoggedOut", KEY),
        (lambda file: event(file, "LoggedOut").ClearField("partition_key"), "#/LoggedOut", KEY),
        (add_field(Kinds.TYPE_STRING), "#/LoggedOut/99", "PERSONAL_DATA"),
        (add_field(Kinds.TYPE_STRING, label=Kinds.LABEL_REPEATED), "#/LoggedOut/99", "PERSONAL_DATA"),
        (add_field(Kinds.TYPE_BYTES), "#/LoggedOut/99", "PERSONAL_DATA"),
        (add_field(Kinds.TYPE_UINT64), "#/LoggedOut/99", "UNSUPPORTED"),
        (add_field(Kinds.TYPE_FIXED64), "#/LoggedOut/99", "UNSUPPORTED"),
        (add_field(Kinds.TYPE_GROUP, f"{OURS}Actor"), "#/LoggedOut/99", "UNSUPPORTED"),
        (add_field(Kinds.TYPE_MESSAGE, ".google.protobuf.Struct"), "#/LoggedOut/99", "UNSUPPORTED"),
        (add_map, "#/LoggedOut/99", "UNSUPPORTED"),
        (add_field(Kinds.TYPE_MESSAGE, f"{OURS}LoggedOut"), "#/LoggedOut", "UNSUPPORTED"),
        (lambda file: file.service.add(name="Events"), "#/", "UNSUPPORTED"),
        (lambda file: file.extension.add(name="more"), "#/", "UNSUPPORTED"),
        (lambda file: file.dependency.append("google/protobuf/any.proto"), "#/", "UNSUPPORTED"),
        (lambda file: setattr(file, "syntax", "editions"), "#/", "UNSUPPORTED"),
        (lambda file: setattr(file, "syntax", ""), "#/", "UNSUPPORTED"),
    ],
)  # fmt: skip
def test_one_edit_is_one_fault_at_its_place(edit: Edit, path: str, rule: str) -> None:
    assert (path, rule) in faults(edit)


def test_a_message_is_in_one_payload_field() -> None:
    def twice(file: FileDescriptorProto) -> None:
        add_event(file, 28)
        again = file.message_type[0].field.add()
        again.CopyFrom(file.message_type[0].field[-2])
        again.name, again.number = "device_trusted_again", 29

    assert faults(twice) == {("#/AuthEvent/payload/29", "EVENT_TWICE")}


def test_faults_say_what_to_do() -> None:
    assert "did you mean user_id?" in texts(
        lambda file: event(file, "LoggedOut").partition_key.append("userid")
    )
    assert "are the numbers 16 to 31: 28 is free" in texts(lambda file: add_event(file, 80))
    assert "auth.events.usr is almost auth.events.user" in texts(
        lambda file: add_event(file, 80, "auth.events.usr")
    )
    assert "16 to 31 are of auth.events.user, not of auth.events.usr" in texts(
        lambda file: add_event(file, 28, "auth.events.usr")
    )


@pytest.mark.parametrize("file", [FileDescriptorProto(), FileDescriptorProto(syntax="proto3")])
def test_a_file_without_an_envelope_is_no_contract(file: FileDescriptorProto) -> None:
    assert [fault.rule for fault in contract_faults(file)] == ["OPTIONS"]
