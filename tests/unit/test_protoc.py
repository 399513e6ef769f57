"""protoc, in a process of its own."""

import base64

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events import protoc
from immersiverse.auth.events.descriptors import identity, parse_descriptor
from immersiverse.auth.events.errors import InvalidSchema, MissingExtra
from immersiverse.auth.events.protoc import compile_files
from immersiverse.auth.events.v1 import events_pb2, options_pb2

HEAD = 'syntax = "proto3"; package p;\n'
EVENTS, OPTIONS = (pb2.DESCRIPTOR.name for pb2 in (events_pb2, options_pb2))
BINDINGS = {
    pb2.DESCRIPTOR.name: FileDescriptorProto.FromString(pb2.DESCRIPTOR.serialized_pb)
    for pb2 in (events_pb2, options_pb2)
}


def test_nothing_compiles_to_nothing():
    assert compile_files({}) == {}


@pytest.mark.parametrize(
    "path",
    [
        "../a.proto", "/a.proto", "a//b.proto", "./a.proto", "a\\b.proto", "", "--python_out=.", "@a.proto",
        "a\n-Ielsewhere", "a" * 300 + ".proto", "a/" * 600 + "a.proto", "\ud800.proto",
    ],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused(path):
    with pytest.raises(InvalidSchema):
        compile_files({path: HEAD})


def test_a_path_cannot_be_a_file_and_a_folder():
    with pytest.raises(InvalidSchema, match="cannot write"):
        compile_files({"a": HEAD, "a/b.proto": HEAD})


def test_text_that_utf8_cannot_hold_is_refused():
    with pytest.raises(InvalidSchema, match=r"^a\.proto cannot"):
        compile_files({"a.proto": "\ud800"})


def test_without_grpcio_tools_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr(protoc, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"pip install 'immersiverse-auth-events\[cli\]'"):
        compile_files({"a.proto": HEAD})


def test_identity_passes_over_what_clients_write_differently():
    one = FileDescriptorProto(name="a.proto", syntax="proto3", dependency=["b.proto", "a.proto"])
    one.public_dependency.append(1)
    one.message_type.add(name="M").field.add(name="user__id_", number=1)
    one.source_code_info.location.add(path=[4, 0])
    other = FileDescriptorProto(syntax="proto3", package="", dependency=["a.proto", "b.proto"])
    other.public_dependency.append(0)
    other.message_type.add(name="M").field.add(name="user__id_", number=1, json_name="userId")
    assert identity(one) == identity(other)


def test_identity_tells_schemas_apart():
    one = FileDescriptorProto(name="a.proto", syntax="proto3")
    one.message_type.add(name="A")
    one.message_type.add(name="B")
    other = FileDescriptorProto(name="a.proto", syntax="proto3")
    other.message_type.add(name="B")
    other.message_type.add(name="A")
    named = FileDescriptorProto()
    named.CopyFrom(one)
    named.message_type[0].field.add(name="user_id", json_name="user")
    assert len({identity(file) for file in (one, other, named)}) == 3


def test_a_mark_of_an_import_that_is_not_there_is_refused():
    with pytest.raises(InvalidSchema, match="marks an import"):
        identity(FileDescriptorProto(name="a.proto", public_dependency=[3]))


def test_a_descriptor_is_read_from_bytes_and_from_base64():
    file = BINDINGS[EVENTS]
    assert parse_descriptor(file.SerializeToString()) == file
    assert parse_descriptor(base64.encodebytes(file.SerializeToString()).decode()) == file


@pytest.mark.parametrize(
    "data",
    [
        "",
        "AAAA",
        "no base64!",
        "é",
        b"\xff",
        b"",
        HEAD,
        b"\x0a\x02\x0a\x00",
        b"\x0a\x01\xff",
        b"\x22\x03\x0a\x01\xff",
    ],
)
def test_other_bytes_are_not_a_descriptor(data):
    with pytest.raises(InvalidSchema, match="not a file descriptor"):
        parse_descriptor(data)
