from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.descriptors import identity, parse_descriptor
from immersiverse.auth.events.protoc import compile_files
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.v1 import events_pb2, options_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor

    from component.testing.caller import Caller

TEXT = """
syntax = "proto3";
package test;
import "google/protobuf/timestamp.proto";
// A comment, which descriptors do not have.
message Login {
  string user_id = 1;
  google.protobuf.Timestamp login_time = 2;
  Method method = 3;
  enum Method { METHOD_UNSPECIFIED = 0; METHOD_PASSWORD = 1; }
}
"""


COMPILED = compile_files({"login.proto": TEXT})["login.proto"]


def compiled() -> FileDescriptorProto:
    return FileDescriptorProto.FromString(COMPILED.SerializeToString())


def text(schema: str, *references: tuple[str, str, int]) -> dict[str, Any]:
    named = [dict(zip(("name", "subject", "version"), reference, strict=True)) for reference in references]
    return {"schema": schema, "schemaType": "PROTOBUF", "references": named}


def encoded(file: FileDescriptorProto | FileDescriptor, *references: tuple[str, str, int]) -> dict[str, Any]:
    data = file.SerializeToString() if isinstance(file, FileDescriptorProto) else file.serialized_pb
    return text(base64.b64encode(data).decode(), *references)


def test_text_and_descriptor_of_one_file_are_one_version(ask: Caller) -> None:
    file = compiled()
    assert ask.register("s", encoded(file)) == 1
    assert ask.register("s", text(TEXT)) == 1
    file.name = "elsewhere/other.proto"
    file.source_code_info.location.add(span=[1, 2, 3], leading_comments="said")
    for field in file.message_type[0].field:
        field.ClearField("json_name")
    assert ask.register("s", encoded(file)) == 1
    assert ask.ok("GET", "/subjects/s/versions") == [1]


@pytest.mark.parametrize("sent", [text(TEXT), encoded(COMPILED)], ids=["text", "descriptor"])
def test_a_schema_is_shown_as_it_came_unless_the_descriptor_is_asked_for(
    ask: Caller, sent: dict[str, Any]
) -> None:
    ask.register("s", sent)
    guid = ask.ok("GET", "/schemas/ids/1")["guid"]
    for place in (
        "/schemas/ids/1",
        "/subjects/s/versions/1",
        "/subjects/s/versions/-1",
        f"/schemas/guids/{guid}",
    ):
        shown, serialized = ask.ok("GET", place), ask.ok("GET", f"{place}?format=serialized")
        assert shown["schemaType"] == serialized["schemaType"] == "PROTOBUF"
        assert shown["schema"] == sent["schema"]
        assert identity(parse_descriptor(serialized["schema"])) == identity(COMPILED)
        for again in (shown, serialized):
            assert ask.register("s", text(again["schema"])) == 1


def test_a_descriptor_is_shown_with_json_names_and_without_a_file_name(ask: Caller) -> None:
    file = compiled()
    file.message_type[0].field[0].ClearField("json_name")
    file.message_type[0].field[1].json_name = "when"
    ask.register("s", encoded(file))
    shown = parse_descriptor(ask.ok("GET", "/schemas/ids/1?format=serialized")["schema"])
    assert [field.json_name for field in shown.message_type[0].field] == ["userId", "when", "method"]
    assert shown.name == ""


def test_the_contract_is_one_version_in_either_form(ask: Caller) -> None:
    reference = (options_pb2.DESCRIPTOR.name, "options", 1)
    ask.register("options", encoded(options_pb2.DESCRIPTOR))
    assert ask.register("s", encoded(events_pb2.DESCRIPTOR, reference)) == 2
    contract = contract_schema("PROTOBUF")
    edited = f"// What protoc has to compile.\n{contract.text}"
    for written in (contract.text, edited):
        assert ask.register("s", text(written, reference)) == 2
    assert ask.register("options", text(contract.references[0][1].text)) == 1


def test_text_that_imports_text_is_compiled_with_it(ask: Caller) -> None:
    ask.register("login", text(TEXT))
    importing = (
        'syntax = "proto3"; import "a/login.proto"; message Logins { repeated test.Login logins = 1; }'
    )
    number = ask.register("s", text(importing, ("a/login.proto", "login", 1)))
    shown = parse_descriptor(ask.ok("GET", f"/schemas/ids/{number}?format=serialized")["schema"])
    assert shown.message_type[0].field[0].type_name == ".test.Login"


def test_references_to_well_known_files_make_no_difference(ask: Caller) -> None:
    name = timestamp_pb2.DESCRIPTOR.name
    ask.register("timestamp", encoded(timestamp_pb2.DESCRIPTOR))
    assert ask.register("s", text(TEXT)) == 2
    assert ask.register("s", text(TEXT, (name, "timestamp", 1))) == 2
    assert ask.register("t", text(TEXT, (name, "timestamp", 1), (name, "timestamp", 1))) == 2


def test_what_does_not_hold_together_is_refused(ask: Caller) -> None:
    ask.register("avro", {"schema": '"int"'})
    importing = 'syntax = "proto3"; import "other.proto"; message A { other.B b = 1; }'
    unresolved = FileDescriptorProto(syntax="proto3")
    unresolved.message_type.add(name="A").field.add(
        name="b", number=1, label=1, type=11, type_name=".other.B"
    )
    for broken in (
        text(importing),
        text(importing, ("other.proto", "avro", 1)),
        encoded(unresolved),
        text('syntax = "proto3"; message A { B b = 1; }'),
        text('syntax = "proto3"; message A { string a = 1; string b = 1; }'),
        text('syntax = "proto3"; message A {'),
        text("AAAA"),
        text("not base64, not proto"),
    ):
        assert ask.code("POST", "/subjects/s/versions", broken) == 42201, broken
    assert ask.ok("GET", "/subjects") == ["avro"]


def test_the_subjects_level_holds_for_protobuf(ask: Caller) -> None:
    ask.register("s", text(TEXT))
    assert ask.register("s", text(TEXT.replace("user_id = 1;", "user_id = 1; int32 attempt = 4;"))) == 2
    narrower = text(TEXT.replace("string user_id", "int64 user_id"))
    status, refusal = ask("POST", "/subjects/s/versions", narrower)
    assert (status, "FIELD_SCALAR_KIND_CHANGED" in refusal["message"]) == (409, True)
    verdict = ask.ok("POST", "/compatibility/subjects/s/versions/latest?verbose=true", narrower)
    assert not verdict["is_compatible"]
    assert "#/Login/1" in verdict["messages"][0]


def test_mutated_schemas_are_refused_or_shown_in_both_forms_but_never_fail(ask: Caller) -> None:
    chance = random.Random(11)
    ask.ok("PUT", "/config", {"compatibility": "FULL_TRANSITIVE"})
    whole = compiled().SerializeToString()
    for number in range(1_500):
        if number % 50:  # protoc is a process for each text
            schema = base64.b64encode(mutated(whole, chance)).decode()
        else:
            schema = mutated(TEXT.encode(), chance).decode("utf-8", "replace")
        status, answer = ask("POST", f"/subjects/s{number % 50}/versions", text(schema))
        assert status in {200, 409, 422}, (schema, answer)
        if status == 200:
            for form in ("", "?format=serialized"):
                shown = ask.ok("GET", f"/schemas/ids/{answer['id']}{form}")["schema"]
                assert ask("POST", f"/subjects/s{number % 50}", text(shown))[0] == 200, schema


def mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(changed))
        changed[place : place + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
    return bytes(changed)
