"""A later version of the contract, which has an event type that this one does not know."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.v1 import events_pb2, options_pb2
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from serialization_samples import EVENT_ID, TIME

NEWER_PAYLOAD_FIELD = 200
TEXT, MESSAGE = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_MESSAGE


def newer_contract() -> FileDescriptorProto:
    """The contract of a later version, with one more event type."""
    file = FileDescriptorProto.FromString(CONTRACT_FILE.SerializeToString())
    trusted = file.message_type.add(name="NotYetInvented")  # a name that no real event will take
    trusted.field.add(
        name="user_id", json_name="userId", number=1, label=1, type=FieldDescriptorProto.TYPE_STRING
    )
    trusted.field.add(
        name="trusted_at",
        json_name="trustedAt",
        number=2,
        label=1,
        type=MESSAGE,
        type_name=".google.protobuf.Timestamp",
    )
    file.message_type[0].field.add(
        name="not_yet_invented",
        json_name="notYetInvented",
        number=NEWER_PAYLOAD_FIELD,
        label=1,
        type=MESSAGE,
        type_name=f".{file.package}.NotYetInvented",
        oneof_index=0,
    )
    return file


def newer_text() -> str:
    """The text of that contract."""
    text = contract_schema("PROTOBUF").text
    field = f"    NotYetInvented not_yet_invented = {NEWER_PAYLOAD_FIELD};\n"
    fields = "string user_id = 1; google.protobuf.Timestamp trusted_at = 2;"
    return (
        text.replace("  oneof payload {\n", f"  oneof payload {{\n{field}")
        + f"message NotYetInvented {{ {fields} }}"
    )


def newer_event(**payload: Any) -> Any:
    """An event of that type, as its writer makes it."""
    pool = DescriptorPool()
    for dependency in (*events_pb2.DESCRIPTOR.dependencies, *options_pb2.DESCRIPTOR.dependencies):
        if dependency.name != options_pb2.DESCRIPTOR.name:
            pool.AddSerializedFile(dependency.serialized_pb)
    pool.AddSerializedFile(options_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(newer_contract().SerializeToString())
    make = GetMessageClass(pool.FindMessageTypeByName(AuthEvent.DESCRIPTOR.full_name))
    time = {"seconds": TIME.seconds, "nanos": TIME.nanos}
    return make(event_id=EVENT_ID, timestamp=time, not_yet_invented={**payload, "trusted_at": time})
