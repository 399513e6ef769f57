"""scripts/gate passes a safe change, and shows a breaking one on its line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from component.schema_checks.conftest import EVENTS, copy_tree, edit
from golden.corpus.recording import record
from immersiverse.auth.events.version import __version__

PARTS = ("proto", "scripts/gate", "scripts/contract", "tests/golden", "tests/stack", "buf.yaml")


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    record(__version__, folder)
    return folder


@pytest.fixture
def tree(tmp_path, git):
    """A clone of the tree's relevant parts, committed on main, with this environment."""
    copy_tree(PARTS, tmp_path, leave_out="*.*.*")  # a recorded release
    git("add", ".")
    git("commit", "-qm", "first")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


@pytest.fixture
def gate(tree):
    def run(*arguments, **variables):
        unset = ("GITHUB_", "GIT_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
        return subprocess.run(
            [sys.executable, tree / "scripts/gate", *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env={**inherited, **variables},
        )

    return run


def test_an_unchanged_contract_passes_against_its_base_and_its_releases(gate, golden):
    done = gate("--golden", golden)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(re.findall(r"\d s  ok$", done.stdout, re.MULTILINE)) == 10
    assert done.stdout.endswith(f"compared with main, {__version__}\n")


def test_a_base_that_the_clone_does_not_hold_is_said_and_no_fault(gate):
    done = gate(GITHUB_BASE_REF="elsewhere")
    assert done.returncode == 0
    assert done.stdout.endswith("compared with nothing; elsewhere is not in this clone\n")


def test_a_harmful_change_is_annotated_on_its_line(gate, tree, golden):
    line = edit(tree / EVENTS, "string session_id = 2", "string session = 2")
    done = gate("--golden", golden, GITHUB_ACTIONS="true")
    assert done.returncode == 1
    said = re.search(
        r"^::error title=FIELD_NAME_CHANGED,file=(.*),line=(\d+)::(.*)$", done.stdout, re.MULTILINE
    )
    assert said is not None
    assert (said[1], int(said[2])) == (EVENTS, line)
    assert said[3].startswith(
        "LoggedOut.session (string session_id = 2 -> string session = 2), against main: "
    )
    assert done.stdout.count("::error title=FIELD_NAME_CHANGED") == 1  # though the release is broken, too
    assert "buf FIELD_SAME_NAME" in done.stdout


def test_what_all_recorded_cases_of_an_event_say_is_said_once(gate, golden, tmp_path):
    copied = tmp_path / "recorded"
    shutil.copytree(golden, copied)
    file = copied / __version__ / "events" / "LoggedOut.json"
    file.write_text(file.read_text().replace('"sessionId"', '"renamed"'))
    done = gate("--golden", copied)
    said = re.findall(r"^  golden: (.*)$", done.stdout, re.MULTILINE)
    assert said
    assert len(said) == len({line.partition(".json")[0] for line in said})
    assert re.search(r'no field named "renamed".*\(and \d+ more of this event\)$', said[0])


def test_nothing_is_annotated_at_a_terminal(gate, tree):
    edit(tree / EVENTS, "string session_id = 2", "string session = 2")
    done = gate()
    assert f"{EVENTS}:" in done.stdout
    assert "::error" not in done.stdout


def test_bindings_that_were_not_generated_anew_are_found(gate, tree):
    edit(
        tree / EVENTS,
        "bool erasure_required = 4;",
        "bool erasure_required = 4;\n\n  // New.\n  bool fresh = 5;",
    )
    done = gate()
    assert done.returncode == 1
    assert "scripts/generate" in done.stdout
    assert "strict-base" in done.stdout
    assert done.stdout.count("found") == 1


def test_a_contract_that_cannot_be_read_is_shown_with_its_line(gate, tree):
    edit(tree / EVENTS, "message Actor {", "message {")
    done = gate()
    assert done.returncode == 1
    assert re.search(r"events\.proto:\d+:\d+: Expected message name", done.stdout)


def test_a_release_that_was_rewritten_since_the_base_is_found(gate, tree, git, golden):
    copied = tree / "tests" / "golden" / __version__
    shutil.copytree(golden / __version__, copied)
    git("add", "-f", ".")
    git("commit", "-qm", "release")
    (copied / "events" / "LoggedOut.json").unlink()
    sums = copied / "SHA256SUMS"
    kept = [line for line in sums.read_text().splitlines(keepends=True) if "LoggedOut" not in line]
    sums.write_text("".join(kept))
    done = gate()
    assert done.returncode == 1
    assert f"tests/golden/{__version__}/SHA256SUMS: was rewritten" in done.stdout
