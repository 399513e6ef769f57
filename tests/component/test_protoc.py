"""protoc, in a process of its own."""

import time
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events import protoc
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protoc import compile_files
from immersiverse.auth.events.v1 import events_pb2, options_pb2

PROTO = Path(__file__).parents[2] / "proto"
HEAD = 'syntax = "proto3"; package p;\n'
EVENTS, OPTIONS = (pb2.DESCRIPTOR.name for pb2 in (events_pb2, options_pb2))
BINDINGS = {
    pb2.DESCRIPTOR.name: FileDescriptorProto.FromString(pb2.DESCRIPTOR.serialized_pb)
    for pb2 in (events_pb2, options_pb2)
}


def test_the_contract_compiles_to_what_its_bindings_carry():
    assert compile_files({path: (PROTO / path).read_text() for path in BINDINGS}) == BINDINGS


def test_an_import_may_be_there_as_a_descriptor_only():
    compiled = compile_files({EVENTS: (PROTO / EVENTS).read_text()}, descriptors=[BINDINGS[OPTIONS]])
    assert compiled == {EVENTS: BINDINGS[EVENTS]}


def test_a_text_comes_before_a_descriptor_of_the_same_path():
    old = FileDescriptorProto(name="a.proto", syntax="proto3", package="p")
    texts = {
        "a.proto": f"{HEAD}message A {{}}",
        "b.proto": f'{HEAD}import "a.proto"; message B {{ A a = 1; }}',
    }
    assert compile_files(texts, descriptors=[old])["b.proto"].message_type[0].field[0].type_name == ".p.A"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD}message {{", "a.proto:2:9: Expected message name."),
        (f"{HEAD}message A {{ B b = 1; }}", 'a.proto:2:13: "B" is not defined.'),
        (f'{HEAD}import "gone.proto";', 'a.proto:2:1: Import "gone.proto" was not found'),
        (f"{HEAD}{'message A { ' * 5000}{'}' * 5000}", "a.proto:2:"),
        (f"{HEAD}message A {{ \x1b[31m }}", "a.proto:2:13: "),
        ("\0", "a.proto:1:1: "),
    ],
)  # fmt: skip
def test_an_invalid_text_is_refused_with_its_place(text, said):
    with pytest.raises(InvalidSchema) as caught:
        compile_files({"a.proto": text})
    assert str(caught.value).startswith(said)
    assert str(caught.value).isprintable()


def test_of_many_errors_the_first_are_shown():
    with pytest.raises(
        InvalidSchema, match=r'^a\.proto:2:23: "x" is already defined in "p\.A"\.; .*; and \d+ more$'
    ):
        compile_files({"a.proto": f"{HEAD}message A {{ {'X x = 1;' * 20} }}"})


def test_a_python_file_among_the_texts_is_never_imported(tmp_path):
    module = f"from pathlib import Path; Path({str(tmp_path / 'ran')!r}).touch()"
    with pytest.raises(InvalidSchema):
        compile_files({"grpc_tools.py": module, "google/protobuf/__init__.py": module})
    assert not (tmp_path / "ran").exists()


def test_protoc_is_ended_when_its_time_is_over():
    began = time.monotonic()
    with pytest.raises(InvalidSchema, match=r"within 0\.001 s"):
        compile_files({"a.proto": HEAD}, timeout=0.001)
    assert time.monotonic() - began < 5


def test_protoc_is_ended_when_it_writes_too_much(monkeypatch):
    monkeypatch.setattr(protoc, "_PROTOC", protoc._PROTOC.replace(str(protoc.MAX_OUTPUT), "100"))
    with pytest.raises(InvalidSchema, match="protoc ended with code"):
        compile_files({"a.proto": f"{HEAD}message A{'A' * 1000} {{}}"})


def test_a_crash_of_protoc_is_an_invalid_schema(monkeypatch):
    monkeypatch.setattr(protoc, "_PROTOC", "import os; os.abort()")
    with pytest.raises(InvalidSchema, match="protoc ended with code -6"):
        compile_files({"a.proto": HEAD})


def test_features_of_single_languages_are_known_since_protoc_brings_them():
    text = (
        'edition = "2023"; import "google/protobuf/java_features.proto";'
        " option features.(pb.java).utf8_validation = VERIFY; message A {}"
    )
    assert compile_files({"a.proto": text})["a.proto"].message_type[0].name == "A"
