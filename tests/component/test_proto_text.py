"""Outlines of .proto text, read without protoc."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.proto_text import outline
from immersiverse.auth.events.protoc import compile_files

TESTS = Path(__file__).parents[1]
SAMPLES = {path.name: path.read_text() for path in sorted((TESTS / "proto_samples").glob("*.proto"))}


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


def test_an_outline_says_what_protoc_says():
    compiled = compile_files(SAMPLES)
    assert {name: outlined(outline(text)) for name, text in SAMPLES.items()} == {
        name: outlined(file) for name, file in compiled.items()
    }
