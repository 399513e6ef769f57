"""What the strict rules find in options that no import had made known."""

from __future__ import annotations

import subprocess
import sys

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.protoc import compile_files
from immersiverse.auth.events.v1 import options_pb2

OPTIONS = FileDescriptorProto.FromString(options_pb2.DESCRIPTOR.serialized_pb)
NAMES = options_pb2.DESCRIPTOR.package


def event(topic):
    """The descriptor of a file with one event."""
    text = (
        f'syntax = "proto3"; package library; import "{OPTIONS.name}";'
        f"message Lent {{ option ({NAMES}.event) = {{ topic: '{topic}' }}; string reader_id = 1; }}"
    )
    compiled = compile_files({"library.proto": text}, descriptors=[OPTIONS])
    return compiled["library.proto"].SerializeToString()


def refused_of_descriptors_parsed_before_the_import(tmp_path, old, new):
    """The refused kinds, in a process that reads the descriptors first and imports the package then."""
    code = """
import sys
from google.protobuf.descriptor_pb2 import FileDescriptorProto
files = [FileDescriptorProto.FromString(open(path, "rb").read()) for path in sys.argv[1:]]
from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.schema_checks.version import ProtoSchema
changes = compare(*map(ProtoSchema, files), rules=Rules.STRICT)
print(*[change.kind for change in changes if not change.compatible])
"""
    paths = [tmp_path / "old", tmp_path / "new"]
    for path, content in zip(paths, (old, new), strict=True):
        path.write_bytes(content)
    command = [sys.executable, "-c", code, *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_options_that_were_read_as_unknown_bytes_count(tmp_path):
    old, new = event("loans"), event("returns")
    found = refused_of_descriptors_parsed_before_the_import(tmp_path, old, new)
    assert found == ["EVENT_TOPIC_CHANGED"]


def test_options_of_another_schema_with_the_same_numbers_are_ignored(tmp_path):
    def book(note):
        # Field 58731 of the options (tag b"\xda\xd6\x1c") holds text where the contract holds a message.
        options = b"\xda\xd6\x1c" + bytes([len(note)]) + note
        message = b"\x0a\x04Book\x3a" + bytes([len(options)]) + options
        return b"\x0a\x0abook.proto\x22" + bytes([len(message)]) + message

    old, new = book(b"\xff"), book(b"\xfe\xff")
    assert refused_of_descriptors_parsed_before_the_import(tmp_path, old, new) == []
