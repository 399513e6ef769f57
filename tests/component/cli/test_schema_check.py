"""auth-events schema check, schema diff, and schema register --dry-run."""

from __future__ import annotations

from pathlib import Path

import pytest

from immersiverse.auth.events.catalog import TOPICS

CONTRACT = Path(__file__).parents[3] / "proto"
OLD = 'syntax = "proto3"; message Login { string user = 1; string ip = 2; }'
CHANGES = {
    "nothing": (OLD, [], True),
    "a new field": (OLD.replace("}", "bool ok = 3; }"), ["FIELD_ADDED #/Login/3"], True),
    "another type": (
        OLD.replace("string ip", "int64 ip"),
        ["FIELD_SCALAR_KIND_CHANGED #/Login/2"],
        False,
    ),
    "another name": (OLD.replace("ip", "address"), ["FIELD_NAME_CHANGED #/Login/2"], True),
}


@pytest.fixture
def files(tmp_path):
    """Write two versions; their paths, the new one first."""

    def written(new, old=OLD):
        (tmp_path / "old.proto").write_text(old)
        (tmp_path / "new.proto").write_text(new)
        return tmp_path / "new.proto", "--against", tmp_path / "old.proto"

    return written


@pytest.mark.parametrize(("new", "found", "compatible"), CHANGES.values(), ids=CHANGES)
def test_two_files_get_the_registrys_verdict_as_json(auth_events, files, new, found, compatible):
    result = auth_events("schema", "check", *files(new), "--rules", "confluent", "--json")
    assert result.code == (0 if compatible else 1)
    assert result.document["compatible"] is compatible
    assert [f"{change['kind']} {change['path']}" for change in result.document["changes"]] == found
    assert result.err == ""


def test_the_strict_rules_are_the_default(auth_events, files):
    result = auth_events("schema", "check", *files(CHANGES["another name"][0]))
    assert result.code == 1
    assert "FIELD_NAME_CHANGED #/Login/2" in result.out
    assert "Login.address" in result.out
    assert "Keep the name" in result.out


def test_a_compatible_change_is_said_to_be(auth_events, files):
    result = auth_events("schema", "check", *files(CHANGES["a new field"][0]))
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("compatible with ")
    assert "1 harmless change (strict, BACKWARD_TRANSITIVE)" in result.out


def test_a_level_looks_in_its_direction(auth_events, files):
    payload = 'syntax = "proto3"; message E { oneof payload { string a = 1; } }'
    asked = (*files(payload.replace("} }", "string b = 2; } }"), payload), "--rules", "confluent")
    assert auth_events("schema", "check", *asked, "--level", "BACKWARD").code == 0
    forward = auth_events("schema", "check", *asked, "--level", "forward", "--json")
    assert forward.code == 1
    assert {change["direction"] for change in forward.document["changes"] if not change["compatible"]} == {
        "forward"
    }
    assert auth_events("schema", "check", *asked, "--level", "NONE").code == 0


def test_a_history_is_given_oldest_first(auth_events, tmp_path, files):
    asked = files(OLD.replace("string ip", "int64 ip"))
    (tmp_path / "between.proto").write_text(OLD.replace("string ip", "int64 ip"))
    history = (*asked, "--against", tmp_path / "between.proto", "--rules", "confluent", "--json")
    transitive = auth_events("schema", "check", *history)
    assert [change["version"] for change in transitive.document["changes"]] == [0]
    assert auth_events("schema", "check", *history, "--level", "BACKWARD").code == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["nothing.proto", "--against", CONTRACT], "there is no file or folder nothing.proto"),
        (["--against", "nothing"], "there is no file or folder nothing"),
        (["--against", "git#no-such-branch"], "git"),
        ([__file__, "--against", CONTRACT], "is not a .proto file or folder, a wheel or a descriptor set"),
        ([], "--against"),
        (["--against", CONTRACT, "--rules", "lenient"], "--rules"),
        (["--against", CONTRACT, "--level", "SIDEWAYS"], "--level"),
    ],
)
def test_bad_input_is_one_clear_line_and_no_verdict(auth_events, asked, said):
    result = auth_events("schema", "check", *asked)
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert said in result.err


def test_a_broken_file_is_named_with_its_line(auth_events, files):
    result = auth_events("schema", "check", *files("syntax = 'proto3';\nmessage {"))
    assert result.code == 2
    assert "new.proto:2:9: " in result.err


def test_this_contract_agrees_with_itself(auth_events):
    assert auth_events("schema", "check", "--against", CONTRACT).code == 0


def test_a_registry_that_holds_the_contract_agrees_with_it(auth_events, registry):
    result = auth_events("schema", "check", "--against", registry, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.document == {"compatible": True, "changes": []}


def test_a_registrys_refusal_names_subject_and_version(auth_events, registry, tmp_path):
    new = tmp_path / "events.proto"
    text = (CONTRACT / "immersiverse/auth/events/v1/events.proto").read_text()
    new.write_text(text.replace("string session_id = 2", "int64 session_id = 2"))
    asked = ("--against", registry, "--rules", "confluent")
    result = auth_events("schema", "check", new, *asked, "--json")
    refused = [change for change in result.document["changes"] if not change["compatible"]]
    assert result.code == 1
    assert {change["subject"] for change in refused} == {f"{topic}-value" for topic in TOPICS}
    assert "Avro is not compared" in result.err
    one = auth_events("schema", "check", new, *asked, "--topic", TOPICS[0])
    assert f"against {TOPICS[0]}-value version 1" in one.out


def test_an_unreachable_registry_is_no_verdict_and_no_secret_is_printed(auth_events):
    url = "http://reader:open-sesame@127.0.0.1:9"
    result = auth_events("schema", "check", "--against", url, "--registry-config", "max.retries=0")
    assert result.code == 3
    assert "open-sesame" not in result.out + result.err


def test_a_difference_is_shown_event_by_event(auth_events, tmp_path):
    new = tmp_path / "events.proto"
    text = (CONTRACT / "immersiverse/auth/events/v1/events.proto").read_text()
    text = text.replace("string session_id = 2", "string session = 2").replace(
        "bool erasure_required = 4", "bool erase = 4"
    )
    new.write_text(text)
    asked = ("schema", "diff", new, "--against", CONTRACT)
    shown = auth_events(*asked)
    assert shown.code == 0
    assert shown.out.index("\nLoggedOut\n") < shown.out.index("\nUserDeleted\n")
    assert "json, code: Protobuf does not carry names" in shown.out
    groups = auth_events(*asked, "--json").document
    assert [group["events"] for group in groups] == [["LoggedOut"], ["UserDeleted"]]
    assert {change["place"] for change in groups[0]["changes"]} == {"LoggedOut.session"}


def test_no_difference_is_shown_as_such(auth_events):
    result = auth_events("schema", "diff", "--against", CONTRACT)
    assert (result.code, result.out.strip().splitlines()) == (
        0,
        [f"0 changes against {CONTRACT}: none refused"],
    )


def test_a_dry_run_registers_nothing(auth_events, empty_registry):
    rows = auth_events("schema", "register", "--registry", empty_registry, "--dry-run", "--json").document
    assert {row["action"] for row in rows} == {"create"}
    listed = auth_events("schema", "list", "--registry", empty_registry, "--json").document
    assert {row["contract"] for row in listed} == {"not registered"}


def test_a_dry_run_of_what_is_registered_says_so(auth_events, registry):
    result = auth_events("schema", "register", "--registry", registry, "--dry-run")
    assert result.code == 0
    assert result.out.count("registered already") == 2 + len(TOPICS)
