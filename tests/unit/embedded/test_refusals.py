"""What the registry answers when it says no: codes and words, as tools have learnt to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from unit.embedded.avro_schemas import body, record

if TYPE_CHECKING:
    from unit.embedded.caller import Caller

PROTO = 'syntax = "proto3";\n\npackage library;\n\nmessage Book {\n  string title = 1;\n}\n'


def proto(text: str) -> dict[str, Any]:
    return {"schemaType": "PROTOBUF", "schema": text}


def retyped(kind: str) -> dict[str, Any]:
    return proto(PROTO.replace("string", kind))


def line(readers: str = "") -> str:
    return (
        f"FIELD_SCALAR_KIND_CHANGED at #/Book/1{readers}: The two types differ in bytes, so each reads the "
        "other's values wrong or not at all. Add a new field with a new number instead, fill both for a "
        "while, and deprecate the old one."
    )


FORWARD = line(" for readers on the old version")


def compared(version: int, level: str) -> str:
    return f"compared with version {version} at level {level}"


@pytest.fixture
def held(ask: Caller) -> Caller:
    """Two versions of a record, a softly deleted one of another, and one that imports."""
    ask.register("s", record("a"))
    ask.register("s", record("a", "b"))
    ask.register("gone", record("c"))
    ask.register("r", body("int", [{"name": "x", "subject": "s", "version": 1}]))
    ask.ok("DELETE", "/subjects/gone")
    ask.ok("DELETE", "/subjects/s/versions/2")
    return ask


REFUSALS = [
    ("GET /subjects/none/versions", 40401, "Subject 'none' not found."),
    ("GET /subjects/none/versions/latest", 40401, "Subject 'none' not found."),
    ("DELETE /subjects/none", 40401, "Subject 'none' not found."),
    ("DELETE /config/none", 40401, "Subject 'none' not found."),
    ("DELETE /mode/none", 40401, "Subject 'none' not found."),
    ("GET /subjects/none/metadata", 40401, "Subject 'none' not found."),
    ("GET /subjects/s/versions/7", 40402, "Version 7 not found."),
    ("GET /subjects/s/versions/2", 40402, "Version 2 not found."),
    ("DELETE /subjects/s/versions/7", 40402, "Version 7 not found."),
    ("GET /schemas/ids/99", 40403, "Schema 99 not found"),
    ("GET /schemas/ids/99/schema", 40403, "Schema 99 not found"),
    ("GET /schemas/ids/99/subjects", 40403, "Schema not found"),
    ("GET /schemas/ids/99/versions", 40403, "Schema not found"),
    ("GET /schemas/guids/ABC", 40403, "Schema ABC not found"),
    ("GET /subjects/s/metadata?key=a&value=b", 40403, "Schema not found"),
    (
        "DELETE /subjects/gone",
        40404,
        "Subject 'gone' was soft deleted.Set permanent=true to delete permanently",
    ),
    (
        "DELETE /subjects/r?permanent=true",
        40405,
        "Subject 'r' was not deleted first before being permanently deleted",
    ),
    (
        "DELETE /subjects/s/versions/2",
        40406,
        "Subject 's' Version 2 was soft deleted.Set permanent=true to delete permanently",
    ),
    (
        "DELETE /subjects/r/versions/1?permanent=true",
        40407,
        "Subject 'r' Version 1 was not deleted first before being permanently deleted",
    ),
    ("GET /config/s", 40408, "Subject 's' does not have subject-level compatibility configured"),
    ("GET /mode/s", 40409, "Subject 's' does not have subject-level mode configured"),
    (
        "GET /subjects/s/versions/first",
        42202,
        (
            "The specified version 'first' is not a valid version id. "
            'Allowed values are between [1, 2^31-1] and the string "latest"'
        ),
    ),
    (
        "DELETE /subjects/s/versions/1",
        42206,
        "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=s,version=1}.",
    ),
    (
        "DELETE /subjects/s",
        42206,
        "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=s,version=1}.",
    ),
    ("GET /subjects/__GLOBAL/versions", 42208, "The specified subject '__GLOBAL' is not a valid."),
]


@pytest.mark.parametrize(("asked", "code", "message"), REFUSALS)
def test_a_request_without_a_body_is_refused_in_known_words(
    held: Caller, asked: str, code: int, message: str
) -> None:
    method, target = asked.split(" ", 1)
    status, refusal = held(method, target)
    assert refusal == {"error_code": code, "message": message}
    assert status == code // 100


LEVELS = (
    "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
    "forward_transitive, and full_transitive"
)
MODES = "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD."
REFUSED_BODIES = [
    ("PUT /config", {"compatibility": "SIDEWAYS"}, 42203, LEVELS),
    ("PUT /config/s", {"compatibility": "SIDEWAYS"}, 42203, LEVELS),
    ("PUT /mode", {"mode": "SLEEP"}, 42204, MODES),
    ("PUT /mode/s", {"mode": "SLEEP"}, 42204, MODES),
    ("PUT /mode", {"mode": "FORWARD"}, 42204, "Forward mode only supported on global level"),
    ("PUT /mode", {"mode": "IMPORT"}, 42205, "Cannot import since found existing subjects"),
    ("POST /subjects/s", record("z"), 40403, "Schema not found"),
    ("POST /subjects/none", record("a"), 40401, "Subject 'none' not found."),
    ("POST /compatibility/subjects/none/versions/3", record("a"), 40402, "Version 3 not found."),
    ("POST /subjects/none/versions", {}, 42201, "Empty schema"),
    ("POST /compatibility/subjects/none/versions", {"schema": " "}, 42201, "Empty schema"),
    (
        "POST /subjects/s/versions",
        {"schema": "x", "schemaType": "THRIFT"},
        42201,
        "Invalid schema type THRIFT",
    ),
    (
        "POST /subjects/s/versions",
        record("a") | {"version": 9},
        42201,
        "Version is not one more than previous version",
    ),
    (
        "POST /subjects/t/versions",
        record("a") | {"id": 9},
        42205,
        "Subject t in context  is not in import mode",
    ),
    (
        "POST /subjects/t/versions",
        body("int", [{"name": "x", "subject": "none", "version": 4}]),
        42201,
        'Invalid schema of type AVRO, details: No schema reference found for subject "none" and version 4',
    ),
]


@pytest.mark.parametrize(("asked", "sent", "code", "message"), REFUSED_BODIES)
def test_a_body_is_refused_in_known_words(
    held: Caller, asked: str, sent: dict[str, Any], code: int, message: str
) -> None:
    method, target = asked.split(" ", 1)
    status, refusal = held(method, target, sent)
    assert refusal == {"error_code": code, "message": message}
    assert status == code // 100


def test_what_a_mode_forbids_is_refused_in_known_words(held: Caller) -> None:
    held.ok("PUT", "/mode/s", {"mode": "READONLY"})
    frozen = {"error_code": 42205, "message": "Subject s in context  is in read-only mode"}
    for method, target, sent in (
        ("POST", "/subjects/s/versions", record("z")),
        ("PUT", "/config/s", {"compatibility": "FULL"}),
        ("DELETE", "/subjects/s", None),
        ("DELETE", "/subjects/s/versions/1", None),
    ):
        assert held(method, target, sent) == (422, frozen)
    held.ok("PUT", "/mode/s?force=true", {"mode": "IMPORT"})
    unnumbered = "Subject s in context  is not in read-write mode"
    assert held("POST", "/subjects/s/versions", record("z"))[1]["message"] == unnumbered
    taken = "Overwrite new schema with id 4 in context  is not permitted."
    assert held("POST", "/subjects/s/versions", record("z") | {"id": 4})[1]["message"] == taken
    held.ok("PUT", "/mode", {"mode": "READONLY"})
    everywhere = "Subject null in context  is in read-only mode"
    assert held("PUT", "/config", {"compatibility": "FULL"})[1]["message"] == everywhere


def test_an_incompatible_schema_is_refused_with_every_reason_and_the_version_before(ask: Caller) -> None:
    ask.register("s", proto(PROTO))
    status, refusal = ask("POST", "/subjects/s/versions", retyped("int32"))
    details = ", ".join([line(), compared(1, "BACKWARD")])
    assert (status, refusal["error_code"]) == (409, 409)
    assert refusal["message"] == (
        "Schema being registered is incompatible with an earlier schema "
        f'for subject "s", details: [{details}]'
    )


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("BACKWARD", [line()]),
        ("FORWARD", [FORWARD]),
        ("FULL", [line(), FORWARD]),
        ("FULL_TRANSITIVE", [line(), FORWARD]),
    ],
)
def test_a_level_says_who_cannot_read_whom(ask: Caller, name: str, messages: list[str]) -> None:
    ask.register("s", proto(PROTO))
    ask.ok("PUT", "/config/s", {"compatibility": name})
    for path in ("versions", "versions/1", "versions/latest"):
        answer = ask.ok("POST", f"/compatibility/subjects/s/{path}?verbose=true", retyped("int32"))
        assert answer == {"is_compatible": False, "messages": [*messages, compared(1, name)]}


def test_a_transitive_level_names_the_newest_version_that_objects(ask: Caller) -> None:
    ask.ok("PUT", "/config", {"compatibility": "NONE"})
    for kind in ("string", "float", "int32"):
        ask.register("s", retyped(kind))
    ask.ok("PUT", "/config", {"compatibility": "BACKWARD_TRANSITIVE"})
    answer = ask.ok("POST", "/compatibility/subjects/s/versions?verbose=true", retyped("int64"))
    assert answer["messages"] == [line(), compared(2, "BACKWARD_TRANSITIVE")]


def test_another_type_of_schema_is_refused_with_the_one_that_is_there(ask: Caller) -> None:
    ask.register("s", record("a"))
    answer = ask.ok("POST", "/compatibility/subjects/s/versions?verbose=true", proto(PROTO))
    assert answer["messages"] == ["the subject holds AVRO schemas", compared(1, "BACKWARD")]


def test_who_asks_why_is_told_that_a_schema_is_invalid_and_who_does_not_is_refused(ask: Caller) -> None:
    target, broken = "/compatibility/subjects/s/versions", proto("message {")
    answer = ask.ok("POST", f"{target}?verbose=true", broken)
    assert not answer["is_compatible"]
    (message,) = answer["messages"]
    assert message.startswith("Invalid schema of type PROTOBUF, details: ")
    assert ask("POST", target, broken)[1] == {"error_code": 42201, "message": message}
