"""The command line against a registry that is not ours."""

from __future__ import annotations

import uuid

import pytest

from commands import in_process


@pytest.fixture
def run(monkeypatch, capsysbinary, apicurio):
    """Runs a command that knows where the registry is."""
    command = in_process(monkeypatch, capsysbinary)
    monkeypatch.setenv("AUTH_EVENTS_REGISTRY", apicurio)
    return command


@pytest.fixture
def name():
    """A topic that no other test knows."""
    return f"cli-{uuid.uuid4()}"


@pytest.mark.parametrize("form", ["text", "descriptor"])
def test_what_is_registered_at_apicurio_encodes_decodes_and_is_shown(run, name, form, monkeypatch):
    register = ("schema", "register", "--topic", name, "--format", "protobuf", "--form", form, "--json")
    first, again = run(*register), run(*register)
    assert (first.code, first.err) == (0, "")
    assert first.document == again.document
    assert first.document[-1]["subject"] == f"{name}-value"

    (row,) = run("schema", "list", "--topic", name, "--format", "protobuf", "--json").document
    assert (row["id"], row["contract"]) == (first.document[-1]["id"], "this")

    events = run("simulate", "--events", "50").out
    frames = run("encode", "--topic", name, stdin=events)
    assert (frames.code, frames.err) == (0, "")
    assert run("decode", stdin=frames.out).out == events

    shown = run("schema", "show", "--topic", name, "--form", form)
    monkeypatch.delenv("AUTH_EVENTS_REGISTRY")
    assert shown.out == run("schema", "show", "--form", form).out, "this version's"


def test_avro_registered_at_apicurio_encodes_and_decodes(run):
    registered = run("schema", "register", "--format", "avro", "--json")
    assert (registered.code, registered.err) == (0, "")
    events = run("simulate", "--events", "50").out
    frames = run("encode", "--format", "avro", stdin=events)
    assert run("decode", stdin=frames.out).out == events


def test_a_topic_that_apicurio_does_not_know_is_a_verdict(run, name):
    event = run("simulate", "--events", "1").out
    result = run("encode", "--topic", name, stdin=event)
    assert result.code == 1
    assert f"'{name}-value'" in result.err
    assert run("schema", "list", "--topic", name, "--json").document[0]["id"] is None
