"""Confluent's own client understands what this registry refuses, and administers it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Schema,
    SchemaRegistryClient,
    SchemaRegistryError,
    ServerConfig,
)

from immersiverse.auth.events.testing.registry import EmbeddedRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROTO = 'syntax = "proto3";\npackage library;\nmessage Book { %s title = 1; }\n'
TITLED, NUMBERED = (Schema(PROTO % kind, "PROTOBUF") for kind in ("string", "int32"))


def avro(*fields: str) -> Schema:
    listed = [{"name": name, "type": "int"} for name in fields]
    return Schema(json.dumps({"type": "record", "name": "Book", "fields": listed}), "AVRO")


@pytest.fixture
def client() -> Iterator[SchemaRegistryClient]:
    with EmbeddedRegistry() as registry, SchemaRegistryClient({"url": registry.url}) as client:
        yield client


def refusal(call: Callable[..., Any], *args: Any, **options: Any) -> tuple[int, int, str]:
    with pytest.raises(SchemaRegistryError) as error:
        call(*args, **options)
    return error.value.http_status_code, error.value.error_code, error.value.error_message


def as_sent(answer: Any) -> Any:
    """Where the client's annotations promise an object, it hands on the JSON as it came."""
    return answer


# What pipelines grep out of a refusal.
DETAILS = re.compile(r"subject '(?P<subject>[^']+)' has: (?P<details>.*)$", re.DOTALL)
REASON = re.compile(r"(?P<kind>[A-Z_]+) at (?P<path>#/\S+): ")


@pytest.mark.parametrize(
    ("old", "new", "kind", "place"),
    [
        (TITLED, NUMBERED, "FIELD_SCALAR_KIND_CHANGED", "#/Book/1"),
        (avro("title"), avro("title", "pages"), "READER_FIELD_MISSING_DEFAULT_VALUE", "#/Book/pages"),
    ],
)
def test_a_refusal_names_kind_and_path(
    client: SchemaRegistryClient, old: Schema, new: Schema, kind: str, place: str
) -> None:
    client.register_schema("books", old)
    status, code, message = refusal(client.register_schema, "books", new)
    assert (status, code) == (409, 409)
    found = DETAILS.search(message)
    assert found is not None
    assert found["subject"] == "books"
    reason = REASON.search(found["details"])
    assert reason is not None
    assert (reason["kind"], reason["path"]) == (kind, place)
    assert "compared with version 1 at level BACKWARD" in found["details"]
    assert not client.test_compatibility("books", new)
    assert not client.test_compatibility_all_versions("books", new, verbose=True)
    assert client.test_compatibility("books", old)


def test_levels_are_kept_by_subject_and_for_all(client: SchemaRegistryClient) -> None:
    full = ServerConfig(compatibility=ConfigCompatibilityLevel.FULL)
    assert as_sent(client.set_config("books", full)) == {"compatibility": "FULL"}
    assert client.get_config("books").compatibility_level == ConfigCompatibilityLevel.FULL
    assert as_sent(client.set_compatibility(level="NONE")) == {"compatibility": "NONE"}
    assert client.get_compatibility() == "NONE"
    assert client.delete_config("books").compatibility_level == ConfigCompatibilityLevel.FULL
    assert client.delete_config().compatibility_level == ConfigCompatibilityLevel.NONE
    assert client.get_compatibility() == "BACKWARD"
    assert refusal(client.get_compatibility, "books")[1] == 40408
    assert refusal(client.delete_config, "books") == (404, 40401, "there is no subject 'books'")
    assert refusal(client.set_compatibility, level="SIDEWAYS")[1] == 42203


def test_what_is_deleted_is_hidden_and_refused(client: SchemaRegistryClient) -> None:
    client.register_schema("books", TITLED)
    client.register_schema("books", Schema(PROTO % "bytes", "PROTOBUF"))
    client.register_schema("other", TITLED)
    assert client.delete_version("books", 1) == 1
    assert client.get_versions("books") == [2]
    assert client.delete_subject("books") == [2]
    assert client.get_subjects() == ["other"]
    assert client.get_subjects(deleted=True) == ["books", "other"]
    assert refusal(client.delete_subject, "books")[1] == 40404
    assert refusal(client.delete_subject, "other", permanent=True)[1] == 40405
    assert client.get_subjects_by_schema_id(1) == ["other"]
    assert client.get_subjects_by_schema_id(1, deleted=True) == ["books", "other"]
