"""A contract that is later than today's, whatever today's is: one more event, and new fields."""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from immersiverse.auth.events import catalog
from immersiverse.auth.events.catalog import CONTRACT_FILE, OPTIONS_FILE
from immersiverse.auth.events.protoc import compile_files
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

EVENT, PAYLOAD_FIELD, PAYLOAD_FIELD_NUMBER = "TomorrowCame", "tomorrow_came", 50_000
FIELD, FIELD_NUMBER = "since_tomorrow", 50_000
"""A text that every payload has from tomorrow on."""

_ENVELOPE = AuthEvent.DESCRIPTOR.full_name


def later_text() -> str:
    """Today's contract with one more event, and one more field in every payload."""
    text = contract_schema("PROTOBUF").text
    for name in catalog.EVENT_TYPES:
        text = text.replace(
            f"message {name} {{\n", f"message {name} {{\n  string {FIELD} = {FIELD_NUMBER};\n"
        )
    first = next(iter(catalog.EVENT_TYPES))
    start = text.index(f"message {first} {{")
    created = text[start : text.index("\n}\n", start) + 3]
    text = text.replace(
        "oneof payload {", f"oneof payload {{\n    {EVENT} {PAYLOAD_FIELD} = {PAYLOAD_FIELD_NUMBER};"
    )
    return text + created.replace(first, EVENT)


@cache
def later_contract() -> FileDescriptorProto:
    """Its descriptor."""
    return compile_files({CONTRACT_FILE.name: later_text()}, descriptors=[OPTIONS_FILE])[CONTRACT_FILE.name]


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
    getattr(unknown, PAYLOAD_FIELD).MergeFrom(
        type(getattr(unknown, PAYLOAD_FIELD))(user_id="user-1", since_tomorrow="new")
    )
    return known, unknown
