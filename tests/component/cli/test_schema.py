"""auth-events schema."""

from __future__ import annotations

import base64
import json
import urllib.request

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events import catalog
from immersiverse.auth.events.protoc import compile_files
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.v1 import options_pb2
from later_version import newer_contract

OPTIONS = "immersiverse/auth/events/v1/options.proto"
RECORD = "immersiverse.auth.events.v1.AuthEvent"


def test_everything_is_registered_with_what_it_refers_to(auth_events, empty_registry):
    rows = auth_events("schema", "register", "--registry", empty_registry, "--json").document
    subjects = [OPTIONS, *(f"{topic}-value" for topic in catalog.TOPICS), RECORD]
    assert [row["subject"] for row in rows] == subjects
    assert {row["version"] for row in rows} == {1}
    assert len({row["id"] for row in rows}) == 3


def test_registering_again_changes_nothing(auth_events, registry):
    again = auth_events("schema", "register", "--registry", registry, "--json").document
    assert again == auth_events("schema", "register", "--registry", registry, "--json").document
    assert {row["version"] for row in again} == {1}


def test_the_table_shows_subject_version_and_id(auth_events, empty_registry):
    asked = ("--registry", empty_registry, "--topic", "one", "--format", "protobuf")
    table = auth_events("schema", "register", *asked).out
    (line,) = [line for line in table.splitlines() if "one-value" in line]
    assert line.split() == ["one-value", "PROTOBUF", "1", "2"]


@pytest.mark.parametrize(
    ("name", "types"), [("protobuf", {"PROTOBUF"}), ("avro", {"AVRO"}), ("all", {"PROTOBUF", "AVRO"})]
)
def test_only_the_wanted_formats_are_registered(auth_events, empty_registry, name, types):
    asked = ("--registry", empty_registry, "--format", name)
    rows = auth_events("schema", "register", *asked, "--json").document
    assert {row["type"] for row in rows} == types


def test_a_list_tells_this_contract_from_another_and_from_none(auth_events, empty_registry):
    asked = ("--registry", empty_registry, "--topic", "one", "--topic", "two", "--topic", "three")
    auth_events("schema", "register", "--registry", empty_registry, "--topic", "one", "--format", "protobuf")
    other = {"schemaType": "PROTOBUF", "schema": 'syntax = "proto3"; message Other {}'}
    request = urllib.request.Request(
        f"{empty_registry}/subjects/two-value/versions",
        json.dumps(other).encode(),
        {"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    rows = auth_events("schema", "list", *asked, "--format", "protobuf", "--json").document
    assert [(row["subject"], row["version"], row["contract"]) for row in rows] == [
        ("one-value", 1, "this"),
        ("two-value", 1, "another version"),
        ("three-value", None, "not registered"),
    ]
    assert "not registered" in auth_events("schema", "list", *asked).out


@pytest.mark.parametrize("form", ["text", "descriptor"])
def test_what_is_registered_in_either_form_is_found_and_shown(auth_events, empty_registry, form):
    asked = ("--registry", empty_registry)
    assert auth_events("schema", "register", *asked, "--form", form).code == 0
    rows = auth_events("schema", "list", *asked, "--format", "protobuf", "--json").document
    assert {row["contract"] for row in rows} == {"this"}
    shown = auth_events("schema", "show", *asked, "--form", form)
    assert shown.out == auth_events("schema", "show", "--form", form).out


def test_text_and_descriptor_show_the_same_schema(auth_events):
    options = FileDescriptorProto.FromString(options_pb2.DESCRIPTOR.serialized_pb)
    text = auth_events("schema", "show").out
    written = base64.b64decode(auth_events("schema", "show", "--form", "descriptor").out)
    parsed = compile_files({"events.proto": text}, descriptors=[options])["events.proto"]
    assert [m.name for m in parsed.message_type] == [
        m.name for m in FileDescriptorProto.FromString(written).message_type
    ]
    assert text.startswith('syntax = "proto3";')


def test_what_has_no_text_is_shown_as_a_descriptor_only(auth_events, empty_registry):
    descriptor = base64.b64encode(newer_contract().SerializeToString()).decode()
    with SchemaRegistryClient({"url": empty_registry}) as client:
        client.register_schema(
            "options", Schema(contract_schema("PROTOBUF").references[0][1].text, "PROTOBUF")
        )
        options = SchemaReference(options_pb2.DESCRIPTOR.name, "options", 1)
        client.register_schema("auth.events.user-value", Schema(descriptor, "PROTOBUF", [options]))
    refused = auth_events("schema", "show", "--registry", empty_registry)
    assert (refused.code, refused.out) == (1, "")
    assert "which has no .proto text: use --form descriptor" in refused.err
    shown = auth_events("schema", "show", "--registry", empty_registry, "--form", "descriptor")
    assert shown.out == f"{descriptor}\n"


def test_avro_is_shown_as_the_json_that_it_is(auth_events, registry):
    own = auth_events("schema", "show", "--format", "avro")
    assert own.document["name"] == "AuthEvent"
    assert auth_events("schema", "show", "--format", "avro", "--registry", registry).out == own.out


def test_showing_what_is_not_there_is_a_verdict(auth_events, empty_registry):
    result = auth_events("schema", "show", "--registry", empty_registry)
    assert (result.code, result.out) == (1, "")
    assert result.err == "auth-events: nothing is registered under 'auth.events.user-value'\n"


def test_a_subject_of_another_type_is_a_verdict_and_is_left_alone(auth_events, empty_registry):
    url = f"{empty_registry}/subjects/auth.events.user-value/versions"
    request = urllib.request.Request(
        url, json.dumps({"schema": '"string"'}).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    result = auth_events("schema", "register", "--registry", empty_registry)
    assert result.code == 1
    assert "holds AVRO schemas" in result.err
    with urllib.request.urlopen(url) as answer:
        assert json.load(answer) == [1]


SECRET = "open-sesame"


@pytest.mark.parametrize(
    "asked",
    [
        ["--registry", f"http://reader:{SECRET}@127.0.0.1:9", "--registry-config", "max.retries=0"],
        ["--registry", "http://127.0.0.1:9", "--registry-config", f"no.such.setting={SECRET}"],
        ["--registry", "http://127.0.0.1:9", "--registry-config", f"ssl.ca.location={SECRET}"],
        ["--registry", f"reader:{SECRET}@127.0.0.1:9"],
        ["--registry", f"http://reader:{SECRET}@[::1", "--registry-config", "max.retries=0"],
        ["--registry", "http://127.0.0.1:9", "--registry-config", f"={SECRET}"],
        ["--registry", "http://127.0.0.1:9", "--registry-config", f"timeout={SECRET}"],
    ],
)
def test_no_secret_is_ever_printed(auth_events, asked):
    result = auth_events("schema", "list", *asked)
    assert result.code in (2, 3)
    assert SECRET not in result.out + result.err
    assert result.err.count("\n") == 1


def test_settings_reach_the_client(auth_events, registry):
    asked = ("--registry", registry, "--registry-config", "basic.auth.user.info=reader:pass")
    numbers = ("--registry-config", "timeout=2.5", "--registry-config", "max.retries=1")
    assert auth_events("schema", "list", *asked, *numbers).code == 0
