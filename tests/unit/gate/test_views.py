"""The schemas that follow from the contract are judged with it, and told of where it alone would pass."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.compatibility import Level, Rules
from immersiverse.auth.events.gate import judge, read
from immersiverse.auth.events.gate.views import judge_views
from unit.gate.conftest import CONTRACT

EVENTS = "immersiverse/auth/events/v1/events.proto"
PATH = CONTRACT / EVENTS


@pytest.fixture
def edited(tmp_path):
    """The contract with a word replaced in a message."""

    def edit(message, before, after):
        text = PATH.read_text()
        start = text.index(before, text.index(f"message {message} {{"))
        file = tmp_path / EVENTS
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text[:start] + after + text[start + len(before) :])
        (file.parent / "options.proto").write_text((PATH.parent / "options.proto").read_text())
        return read(str(tmp_path))

    return edit


def views_of(version):
    old, new = read(str(CONTRACT)).file(EVENTS), version.file(EVENTS)
    return list(judge_views(old, new, level=Level.BACKWARD, which=("JSON Schema", "Avro")))


def test_a_limit_is_a_promise_to_readers_of_json_and_means_nothing_in_avro(edited):
    [found] = views_of(edited("LoginSucceeded", "max_length: 1024", "max_length: 512"))
    assert (found.view, found.events) == ("JSON Schema", ("LoginSucceeded",))
    assert found.place.startswith("LoginSucceeded.")
    assert found.place.endswith("userAgent.maxLength")
    assert found.document()["view"] == "JSON Schema"


def test_another_type_breaks_every_view(edited):
    found = views_of(edited("BruteForceDetected", "uint32 attempts", "string attempts"))
    assert {(judged.view, judged.change.compatible) for judged in found} == {
        ("JSON Schema", False),
        ("Avro", False),
    }


def test_what_breaks_in_protobuf_is_told_once(edited):
    version = edited("BruteForceDetected", "uint32 attempts", "string attempts")
    assert {judged.view for judged in judge(version, [read(str(CONTRACT))]).changes} == {""}


@pytest.mark.parametrize("rules", Rules)
def test_a_contract_that_did_not_change_changes_no_view(rules):
    assert judge(read(str(CONTRACT)), [read(str(CONTRACT))], rules=rules).changes == ()
