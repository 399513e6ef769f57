"""auth-events encode and decode."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.simulation import simulate

MINIMAL = (
    '{"eventType":"UserCreated","timestamp":"2025-07-01T09:00:00Z","payload":{"userId":"uuid-1234",'
    '"username":"alice","email":"alice@example.com","createdAt":"2025-07-01T09:00:00Z"}}'
)


@pytest.fixture(scope="module")
def stream():
    return "".join(f"{write_json(event).decode()}\n" for event in simulate(4, 200))


@pytest.mark.parametrize("name", ["protobuf", "avro", "json"])
def test_what_is_encoded_in_any_format_decodes_to_the_same(auth_events, registry, stream, name):
    asked = ("--registry", registry)
    encoded = auth_events("encode", "--format", name, *asked, stdin=stream)
    decoded = auth_events("decode", *asked, stdin=encoded.out)
    assert (encoded.code, decoded.code) == (0, 0)
    assert decoded.out == stream


def test_the_registry_may_be_named_by_a_variable(auth_events, registry, monkeypatch, stream):
    monkeypatch.setenv("AUTH_EVENTS_REGISTRY", registry)
    encoded = auth_events("encode", stdin=stream)
    assert auth_events("decode", stdin=encoded.out).out == stream


def test_a_topic_without_the_contract_ends_with_what_to_do(auth_events, registry):
    result = auth_events("encode", "--registry", registry, "--topic", "other", stdin=MINIMAL)
    assert result.code == 1
    assert "'other-value'" in result.err
    assert "auth-events schema register" in result.err


def test_an_unknown_schema_is_a_bad_line(auth_events, registry):
    result = auth_events("decode", "--registry", registry, stdin="000000270f00\n")
    assert result.code == 1
    assert result.err == "line 1: the registry has no schema with id 9999\n"
