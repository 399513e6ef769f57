"""A contract that is later than today's, whatever today's is: one more event, and new fields."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from immersiverse.auth.events import catalog
from immersiverse.auth.events.serialization.schemas import CONTRACT_FILE
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

EVENT, ARM, ARM_NUMBER = "TomorrowCame", "tomorrow_came", 50_000
FIELD, FIELD_NUMBER = "since_tomorrow", 50_000
"""A text that every payload has from tomorrow on."""

_ENVELOPE = AuthEvent.DESCRIPTOR.full_name


def later_contract() -> FileDescriptorProto:
    """Today's contract with one more event, and one more field in every payload."""
    file = FileDescriptorProto.FromString(CONTRACT_FILE.SerializeToString())
    text, message = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_MESSAGE
    created = file.message_type.add(name=EVENT)
    created.CopyFrom(next(each for each in file.message_type if each.name in catalog.EVENT_TYPES))
    created.name = EVENT
    for payload in file.message_type:
        if payload.name in (EVENT, *catalog.EVENT_TYPES):
            payload.field.add(name=FIELD, json_name="sinceTomorrow", number=FIELD_NUMBER, label=1, type=text)
    file.message_type[0].field.add(
        name=ARM,
        json_name="tomorrowCame",
        number=ARM_NUMBER,
        label=1,
        type=message,
        type_name=f".{file.package}.{EVENT}",
        oneof_index=0,
    )
    return file


def later_envelope() -> Any:
    """The envelope's class in that version."""
    pool = DescriptorPool()
    added: set[str] = set()

    def add(file: FileDescriptor) -> None:
        for dependency in file.dependencies:
            add(dependency)
        if file.name not in added:
            added.add(file.name)
            pool.AddSerializedFile(file.serialized_pb)

    today = descriptor_pool.Default().FindFileByName(CONTRACT_FILE.name)
    for dependency in today.dependencies:
        add(dependency)
    pool.AddSerializedFile(later_contract().SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName(_ENVELOPE))


def later_events(event: AuthEvent) -> tuple[Any, Any]:
    """An event as tomorrow's writer makes it, with its new field, and one of tomorrow's own type."""
    envelope = later_envelope()
    known = envelope.FromString(event.SerializeToString())
    setattr(getattr(known, event.WhichOneof("payload") or ""), FIELD, "new")
    unknown = envelope(event_id="0197c5a1-3f5e-7b21-9d04-6a1e8c2f7b90", timestamp=known.timestamp)
    getattr(unknown, ARM).MergeFrom(type(getattr(unknown, ARM))(user_id="user-1", since_tomorrow="new"))
    return known, unknown
