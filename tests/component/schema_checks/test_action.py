"""The action and the workflows, run: a breaking change fails, and is shown on its line."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import pytest
import yaml

from component.schema_checks.conftest import EVENTS, ROOT, copy_tree, edit
from component.schema_checks.github_runner import Runner

PARTS = (
    "proto", "python", "scripts/gate", "scripts/contract", "scripts/generate", "tests/golden", "tests/stack",
    "buf.yaml", "README.md", "action.yml", ".github",
)  # fmt: skip
IDENTITY = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.com")
NEW_EVENT = """
// New.
message BrandNew {
  option (event) = {
    topic: "auth.events.login"
    partition_key: "user_id"
  };

  // Identifies the user.
  string user_id = 1 [(field) = {required: true, personal_data: PERSONAL_DATA_PSEUDONYM}];
}
"""
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def git(folder, *arguments):
    subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True)


def line_with(text, declaration):
    return text.splitlines().index(declaration) + 1


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """The project on a server, with this tree as its main branch."""
    folder = tmp_path_factory.mktemp("origin")
    copy_tree(PARTS, folder)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--force", ".")
    git(folder, "commit", "--quiet", "--message", "what main is")
    return folder


@pytest.fixture
def clone(tmp_path, origin, monkeypatch):
    """A developer's clone, on a branch of its own."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):  # a hook's own, which would lead elsewhere
        monkeypatch.delenv(name, raising=False)
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    git(tmp_path / "clone", "switch", "--quiet", "--create", "change")
    return tmp_path / "clone"


@pytest.fixture
def runner(tmp_path, origin):
    """A machine of GitHub's, which checks out what an event is about: one commit, and nothing else."""
    workspace = tmp_path / "workspace"

    def started(event, github):
        def check_out(folder):
            folder.mkdir()
            git(folder, "init", "--quiet")
            git(folder, "remote", "add", "origin", f"file://{origin}")
            git(folder, "fetch", "--quiet", "--no-tags", "--depth", "1", "origin", f"+{event}:refs/event")
            git(folder, "checkout", "--quiet", "--detach", "refs/event")

        def set_up_python(folder):
            (folder / ".venv").symlink_to(sys.prefix)

        stand_ins = {"actions/checkout": check_out, "actions/setup-python": set_up_python}
        context = {"ref": event, "event": {"repository": {"default_branch": "main"}}, **github}
        # The environment holds this tree's package, and the workspace has one of its own.
        return Runner(workspace, context, stand_ins, {"PYTHONPATH": str(workspace / "python")})

    return started


@pytest.fixture
def gate(runner, clone):
    """Propose what the clone holds, and run the workflow on it."""

    def run(base="main"):
        git(clone, "add", ".")
        git(clone, "commit", "--quiet", "--allow-empty", "--message", "a change")
        git(clone, "push", "--quiet", "--force", "origin", "HEAD:refs/pull/1/merge")
        github = {"event_name": "pull_request", "base_ref": base}
        return runner("refs/pull/1/merge", github).job(ROOT / ".github/workflows/gate.yml", "gate")

    return run


def test_a_harmful_change_fails_and_is_annotated_on_its_line(gate, clone):
    line = edit(clone / EVENTS, "string session_id = 2", "string session = 2")
    outcome = gate()
    assert not outcome.succeeded
    renamed = [found for found in outcome.annotations if found.title == "FIELD_NAME_CHANGED"]
    assert {(found.file, found.line) for found in renamed} == {(EVENTS, line)}
    assert renamed[0].message.startswith(
        "LoggedOut.session (string session_id = 2 -> string session = 2), against origin/main: "
    )


def test_a_removed_field_is_annotated_where_it_was(gate, clone):
    edit(clone / EVENTS, "  // A person who works for the operator.\n  ACTOR_KIND_ADMINISTRATOR = 2;\n", "")
    edit(clone / EVENTS, '    partition_key: "attempted_identifier_hash"\n', "")
    outcome = gate()
    assert not outcome.succeeded
    text = (clone / EVENTS).read_text()
    shown = {(found.title, found.file, found.line) for found in outcome.annotations}
    assert shown >= {
        ("ENUM_CONST_REMOVED", EVENTS, line_with(text, "enum ActorKind {")),
        ("EVENT_PARTITION_KEY_CHANGED", EVENTS, line_with(text, "message PasswordResetRequested {")),
    }


def test_a_contract_that_cannot_be_read_fails_on_its_line(gate, clone):
    line = edit(clone / EVENTS, "message Actor {", "message {")
    outcome = gate()
    assert not outcome.succeeded
    assert any((found.file, found.line) == (EVENTS, line) for found in outcome.annotations)


def test_a_new_event_with_its_bindings_passes(gate, clone):
    last = "    SessionRevoked session_revoked = 35;\n"
    edit(clone / EVENTS, last, f"{last}    // New.\n    BrandNew brand_new = 36;\n")
    with (clone / EVENTS).open("a") as events:
        events.write(NEW_EVENT)
    subprocess.run(
        [sys.executable, clone / "scripts/generate"],
        check=True,
        env={
            "PATH": f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(clone / "python"),
        },
    )
    outcome = gate()
    assert outcome.succeeded, outcome.output
    assert outcome.annotations == []
    assert outcome.output.rstrip().splitlines()[-1].startswith("compared with origin/main, 0.1.0")


def test_a_push_to_the_main_branch_is_compared_with_the_releases(runner):
    github = {"event_name": "push", "base_ref": ""}
    outcome = runner("refs/heads/main", github).job(ROOT / ".github/workflows/gate.yml", "gate")
    assert outcome.succeeded, outcome.output
    assert "compared with origin/main, 0.1.0" in outcome.output


@pytest.mark.parametrize("base", ["never-pushed", "x$(touch${IFS}hacked)", "--upload-pack=touch${IFS}hacked"])
def test_a_base_that_cannot_be_had_fails_and_is_never_a_command(gate, tmp_path, base):
    outcome = gate(base)
    assert not outcome.succeeded
    assert "compared with" not in outcome.output
    assert not list(tmp_path.rglob("hacked"))


def test_a_clone_that_holds_the_base_needs_no_network(clone):
    git(clone, "remote", "set-url", "origin", "file:///nowhere")
    (clone / ".venv").symlink_to(sys.prefix)
    github = {"event_name": "pull_request", "base_ref": "main", "ref": "refs/heads/change"}
    outcome = Runner(clone, github, {}, {"PYTHONPATH": str(clone / "python")}).action(clone, {"base": "main"})
    assert outcome.succeeded, outcome.output
    assert "compared with origin/main" in outcome.output


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_the_commands_of_a_workflow_are_there(workflow):
    for job in yaml.safe_load(workflow.read_text())["jobs"].values():
        for step in job["steps"]:
            command = step.get("run", "true")
            subprocess.run(["bash", "-n", "-c", command], check=True)
            program = ROOT / command.split()[0]
            assert not command.startswith((".", "scripts/")) or program.stat().st_mode & 0o111


def test_ci_runs_every_python_that_the_package_promises():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    promised = [line.rpartition(" ")[2] for line in classifiers if "Python :: 3." in line]
    assert workflow["jobs"]["run"]["strategy"]["matrix"]["python"] == promised
