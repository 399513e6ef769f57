"""Samples of .proto text, and what an outline has of a compiled file."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto

SAMPLES = {
    path.name: path.read_text() for path in sorted((Path(__file__).parent / "proto_samples").glob("*.proto"))
}


def outlined(file: FileDescriptorProto) -> tuple[object, ...]:
    """What an outline has of a file; types by their last name, since only protoc resolves names."""
    fields = [
        (
            first.oneof_decl[field.oneof_index].name,
            field.number,
            field.name,
            field.type_name.rpartition(".")[2],
        )
        for first in file.message_type[:1]
        for field in first.field
        if field.HasField("oneof_index") and not field.proto3_optional and field.type != Field.TYPE_GROUP
    ]
    return file.package, [message.name for message in file.message_type], fields
