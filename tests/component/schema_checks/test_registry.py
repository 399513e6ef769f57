"""A change is compared with all that a registry holds, and a dry run of a registration writes nothing."""

from __future__ import annotations

import json
import urllib.request

import pytest
from confluent_kafka.schema_registry import RegisteredSchema, Schema

from component.schema_checks.conftest import CONTRACT
from immersiverse.auth.events.catalog import TOPICS
from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.errors import SubjectCollision
from immersiverse.auth.events.registry import SchemaRegistry
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.schema_checks.dry_run import dry_run
from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.registry import judge_registry
from immersiverse.auth.events.schema_checks.sources import read
from immersiverse.auth.events.schema_checks.sources.contract import installed_contract
from immersiverse.auth.events.testing.registry import EmbeddedRegistry

OPTIONS = "immersiverse/auth/events/v1/options.proto"
BOTH = ("PROTOBUF", "AVRO")


@pytest.fixture
def url():
    with EmbeddedRegistry() as registry:
        yield registry.url


@pytest.fixture
def registry(url):
    with SchemaRegistry(url) as registry:
        yield registry


def send(url, document, method="POST"):
    request = urllib.request.Request(
        url, json.dumps(document).encode(), {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def register(url, subject, text):
    """Register a Protobuf text that refers to the options."""
    references = [{"name": OPTIONS, "subject": OPTIONS, "version": 1}]
    send(
        f"{url}/subjects/{subject}/versions",
        {"schemaType": "PROTOBUF", "schema": text, "references": references},
    )


def subjects(url):
    with urllib.request.urlopen(f"{url}/subjects") as answer:
        return json.load(answer)


@pytest.fixture
def filled(url):
    """The registry with the contract on every topic, in both formats, to a client with an empty cache."""
    with SchemaRegistry(url) as earlier:
        for topic in TOPICS:
            earlier.register(topic)
        earlier.register(TOPICS[0], "AVRO")
    with SchemaRegistry(url) as registry:
        yield registry


def test_an_empty_registry_refuses_nothing_and_stays_empty(url, registry):
    assert judge_registry(registry, installed_contract()).changes == ()
    assert subjects(url) == []


def test_the_registered_contract_has_not_changed(filled):
    assert judge_registry(filled, installed_contract()).changes == ()


def test_a_change_is_found_under_every_subject_that_holds_the_contract(filled, tmp_path):
    events = CONTRACT / "immersiverse/auth/events/v1/events.proto"
    lone = tmp_path / "events.proto"
    lone.write_text(events.read_text().replace("string session_id = 2", "string session = 2"))
    found = judge_registry(filled, read(str(lone)), types=("PROTOBUF",)).refused
    assert {judged.subject for judged in found} >= {f"{topic}-value" for topic in TOPICS}
    assert {judged.place for judged in found} == {"LoggedOut.session"}
    only = judge_registry(
        filled, read(str(lone)), types=("PROTOBUF",), topics=[TOPICS[0]], rules=Rules.CONFLUENT
    )
    assert only.compatible


def test_every_version_of_a_subject_is_asked(url, filled):
    subject = f"{TOPICS[0]}-value"
    text = contract_schema("PROTOBUF").text
    send(f"{url}/config/{subject}", {"compatibility": "NONE"}, "PUT")
    register(url, subject, text.replace("string session_id = 2", "int64 session_id = 2"))
    register(url, subject, text.replace("bool erasure_required = 4;", ""))
    asked = {"topics": [TOPICS[0]], "types": ("PROTOBUF",), "rules": Rules.CONFLUENT}
    (found,) = judge_registry(filled, installed_contract(), **asked).refused
    assert (found.version, found.against) == (1, f"{subject} version 2")
    last = judge_registry(filled, installed_contract(), **asked, level=Level.BACKWARD)
    assert [(found.place, found.compatible) for found in last.changes] == [
        ("UserDeleted.erasure_required", True)
    ]


def test_a_subject_of_another_type_is_named_and_the_others_are_judged(url, registry):
    send(f"{url}/subjects/{TOPICS[0]}-value/versions", {"schema": '"string"'})
    registry.register(TOPICS[1])
    verdict = judge_registry(registry, installed_contract())
    assert not verdict.compatible
    assert [(each.subject, type(each.reason)) for each in verdict.unjudged] == [
        (f"{TOPICS[0]}-value", SubjectCollision)
    ]
    assert verdict.versions == 2  # of the other topic, and of the file that the contract imports


def test_a_registration_that_fails_at_one_subject_is_known_of_all_before(url, registry):
    send(f"{url}/subjects/{TOPICS[0]}-value/versions", {"schema": '"string"'})
    rows = {row.subject: row for row in dry_run(registry, None, ("PROTOBUF",), "text")}
    failing = rows.pop(f"{TOPICS[0]}-value")
    assert (failing.action, failing.compatible) == ("fail", False)
    assert "holds AVRO schemas" in failing.problem
    assert {row.action for row in rows.values()} == {"create"}


def test_a_first_registration_creates_every_subject(url, registry):
    rows = dry_run(registry, None, BOTH, "text")
    assert [row.subject for row in rows] == [
        OPTIONS,
        *(f"{topic}-value" for topic in TOPICS),
        "immersiverse.auth.events.v1.AuthEvent",
    ]
    assert {(row.action, row.version, row.compatible) for row in rows} == {("create", 1, True)}
    assert subjects(url) == []


def test_a_second_registration_does_nothing(filled):
    assert {(row.action, row.version) for row in dry_run(filled, None, BOTH, "text")} == {("nothing", 1)}


def test_a_new_version_is_announced_with_the_level_that_judges_it(url, filled):
    subject = f"{TOPICS[1]}-value"
    send(f"{url}/config/{subject}", {"compatibility": "NONE"}, "PUT")
    register(url, subject, contract_schema("PROTOBUF").text.replace("session_id = 2", "session_id = 22"))
    send(f"{url}/subjects/{subject}/versions/1", None, "DELETE")
    send(f"{url}/config/{subject}", {"compatibility": "BACKWARD_TRANSITIVE"}, "PUT")
    rows = {row.subject: row for row in dry_run(filled, None, ("PROTOBUF",), "text")}
    row = rows.pop(subject)
    assert (row.action, row.version, row.level, row.compatible) == ("add", 3, "BACKWARD_TRANSITIVE", True)
    assert {other.action for other in rows.values()} == {"nothing"}


def test_a_dry_run_gives_the_reason_of_a_refusal(url, filled):
    subject = f"{TOPICS[1]}-value"
    send(f"{url}/config/{subject}", {"compatibility": "NONE"}, "PUT")
    register(
        url,
        subject,
        contract_schema("PROTOBUF").text.replace("string session_id = 2", "int64 session_id = 2"),
    )
    send(f"{url}/subjects/{subject}/versions/1", None, "DELETE")
    send(f"{url}/config/{subject}", {"compatibility": "BACKWARD"}, "PUT")
    (row,) = (row for row in dry_run(filled, [TOPICS[1]], ("PROTOBUF",), "text") if row.subject == subject)
    assert (row.action, row.compatible) == ("add", False)
    assert [(judged.kind, judged.path) for judged in row.refused] == [
        ("FIELD_SCALAR_KIND_CHANGED", "#/LoggedOut/2")
    ]


class Answering:
    """Confluent's real client, but for some answers."""

    def __init__(self, client, **answers):
        self._client = client
        self.__dict__.update(answers)

    def __getattr__(self, name):
        return getattr(self._client, name)


def test_a_version_that_cannot_be_read_is_named_and_the_others_are_judged(filled):
    subject, real = f"{TOPICS[1]}-value", filled.client
    broken = RegisteredSchema(1, None, subject, 1, Schema("message {", "PROTOBUF"))
    filled._connection._client = Answering(
        real,
        get_version=lambda name, *rest, **kw: (
            broken if name == subject else real.get_version(name, *rest, **kw)
        ),
    )
    verdict = judge_registry(filled, installed_contract(), types=("PROTOBUF",))
    (unread,) = verdict.unjudged
    assert unread.sentence.startswith(f"{subject} version 1: ")
    assert verdict.versions == len(TOPICS)  # those of the other topics, and of the file that is imported
    (row,) = (row for row in dry_run(filled, None, ("PROTOBUF",), "text") if row.action == "fail")
    assert row.problem == unread.sentence
