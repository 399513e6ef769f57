from __future__ import annotations

import base64

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile import is_well_known, parse_descriptor, parse_file, well_known

FILE = parse_file('syntax = "proto3"; package p; message M { string a = 1; }', name="a.proto")
BYTES = FILE.SerializeToString()


def test_reads_bytes_and_base64():
    assert parse_descriptor(BYTES) == FILE
    assert parse_descriptor(base64.b64encode(BYTES).decode()) == FILE
    assert parse_descriptor(base64.encodebytes(BYTES).decode() + "\n") == FILE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        "",
        b"\x00\x01\x02",
        BYTES[:-3],
        BYTES + b"\x00",
        b"syntax = 'proto3';",
        'syntax = "proto3";',
        "not base64 at all!",
        "한국어",
        base64.b64encode(b"hello").decode(),
        FileDescriptorSet(file=[FILE]).SerializeToString(),
        BYTES.replace(b"\x0a\x01a\x18", b"\x0a\x01\xff\x18"),
        b"\x22\x02\x12\x00" * 3 + b"\xff" * 20,
    ],
    ids=range(13),
)
def test_refuses_what_is_no_file_descriptor(data):
    with pytest.raises(InvalidSchema):
        parse_descriptor(data)


def test_knows_the_files_of_the_runtime():
    timestamp = well_known("google/protobuf/timestamp.proto")
    assert timestamp is not None
    assert timestamp.message_type[0].name == "Timestamp"
    assert is_well_known("google/protobuf/compiler/plugin.proto")


def test_knows_no_other_files():
    assert well_known("google/api/http.proto") is None
    assert not is_well_known("google/api/http.proto")


def test_a_well_known_file_is_the_caller_s_own_copy():
    first = well_known("google/protobuf/any.proto")
    assert first is not None
    first.Clear()
    assert well_known("google/protobuf/any.proto") != first
