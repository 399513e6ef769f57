"""Versions of a small contract and of the real one, and git repositories for them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONTRACT = ROOT / "proto"
EVENTS = "proto/immersiverse/auth/events/v1/events.proto"

OLD = """syntax = "proto3";
package shop;
import "immersiverse/auth/events/v1/options.proto";

// The envelope.
message Envelope {
  string id = 1;
  Place place = 2;
  oneof payload {
    Sold sold = 16;
    Returned returned = 17;
  }
}

message Place { string name = 1; }

message Sold {
  option (immersiverse.auth.events.v1.event) = {topic: "shop" partition_key: "item"};
  string item = 1;
  Currency currency = 2 [
    (immersiverse.auth.events.v1.field) = {required: true}
  ];
}

message Returned {
  option (immersiverse.auth.events.v1.event) = {topic: "shop" partition_key: "item"};
  string item = 1;
  message Reason { string text = 1; }
  Reason reason = 2;
}

enum Currency {
  CURRENCY_UNSPECIFIED = 0;
  CURRENCY_EURO = 1;
}
"""

Git = Callable[..., str]


def copy_tree(parts: Iterable[str], target: Path, *, leave_out: str = "__pycache__") -> None:
    """Copy files and folders of this tree."""
    for part in parts:
        source, copied = ROOT / part, target / part
        copied.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", leave_out)
            shutil.copytree(source, copied, ignore=ignored)
        else:
            shutil.copy(source, copied)


def edit(file: Path, before: str, after: str) -> int:
    """Replace the first place in a file that says something; gives its line, from 1."""
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))
    return text[: text.index(before)].count("\n") + 1


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with the small contract."""
    (tmp_path / "shop.proto").write_text(OLD)
    return tmp_path


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Run git in a new repository, which is the working folder from now on."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):  # a hook's own, which would lead elsewhere
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        identity = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.com")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout

    run("init", "--quiet", "--initial-branch", "main")
    return run
