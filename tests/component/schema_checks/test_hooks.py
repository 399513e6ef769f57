"""The hooks for pre-commit, run by it: a breaking change is not committed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import pytest
import yaml

from component.schema_checks.conftest import EVENTS, OLD, ROOT, copy_tree, edit

HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


@pytest.fixture
def commit(tmp_path, git, monkeypatch):
    """Commit what is staged, with a hook of this project; its output if it refuses, else nothing."""
    hooks = tmp_path.parent / f"{tmp_path.name}-hooks"
    hooks.mkdir()
    copy_tree([".pre-commit-hooks.yaml"], hooks)
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "hooks"]):
        identity = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.com")
        subprocess.run(["git", *identity, *command], cwd=hooks, check=True)
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=hooks, check=True, capture_output=True, text=True
    )
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path.parent / f"{tmp_path.name}-home"))
    monkeypatch.setenv("PATH", f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}")

    def run(hook, *arguments):
        # Pre-commit would fetch what is installed here already: a hook's language can be set to `system`.
        chosen = [{"id": hook, "language": "system", "additional_dependencies": []}]
        config = {"repos": [{"repo": str(hooks), "rev": revision.stdout.strip(), "hooks": chosen}]}
        (tmp_path / ".git" / "hooks.yaml").write_text(yaml.safe_dump(config))
        installed = ["install", "--config", ".git/hooks.yaml", "--overwrite"]
        subprocess.run([sys.executable, "-m", "pre_commit", *installed], check=True)
        try:
            git("commit", "--quiet", "--message", "a change", *arguments)
        except subprocess.CalledProcessError as refused:
            return refused.stdout + refused.stderr
        return ""

    return run


def test_a_repository_may_begin_and_grow_under_the_hook(commit, tmp_path, git):
    assert commit("auth-events-schema-check", "--allow-empty") == ""  # without any .proto file
    (tmp_path / "shop.proto").write_text(OLD)
    git("add", ".")
    assert commit("auth-events-schema-check") == ""
    (tmp_path / "shop.proto").write_text(OLD + "message Lost { string item = 1; }\n")
    (tmp_path / "more.proto").write_text('syntax = "proto3"; message More {}')
    git("add", ".")
    assert commit("auth-events-schema-check") == ""


@pytest.mark.parametrize("deleted", [False, True], ids=["renamed", "deleted"])
def test_a_harmful_change_is_not_committed(commit, shop, git, deleted):
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    if deleted:
        (shop / "shop.proto").unlink()
    else:
        (shop / "shop.proto").write_text(OLD.replace("string item = 1", "string thing = 1"))
    git("add", ".")
    said = commit("auth-events-schema-check")
    assert ("MESSAGE_REMOVED #/Sold" if deleted else "FIELD_NAME_CHANGED #/Sold/1") in said
    assert git("status", "--short").strip()


def test_what_is_not_staged_is_not_judged(commit, shop, git):
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    (shop / "other.proto").write_text('syntax = "proto3"; message Other {}')
    git("add", ".")
    (shop / "shop.proto").write_text(OLD.replace("string item = 1", "string thing = 1"))
    assert commit("auth-events-schema-check") == ""


def test_the_gate_is_a_hook_of_this_project(commit, tmp_path, git):
    parts = ("proto", "scripts/gate", "scripts/contract", "tests/golden", "tests/stack", "buf.yaml")
    copy_tree(parts, tmp_path, leave_out="*.*.*")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".git" / "info" / "exclude").write_text(".venv\n")
    git("add", ".")
    assert commit("auth-events-gate") == ""
    line = edit(tmp_path / EVENTS, "string session_id = 2", "string session = 2")
    git("add", ".")
    said = commit("auth-events-gate")
    assert f"{EVENTS}:{line}: FIELD_NAME_CHANGED: LoggedOut.session" in said


def test_the_hook_installs_what_the_command_needs():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert HOOKS["auth-events-schema-check"]["additional_dependencies"] == extras["cli"]
