"""Schemas from .proto text, and versions of a small contract and of the real one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import grpc_tools
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.schema_checks.version import ProtoSchema

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

Compile = Callable[..., ProtoSchema]
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"
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


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compile the body of a file; other files are given by their import paths, as whole texts."""

    def compiled(
        body: str, *, syntax: str = "proto3", package: str = "library", files: dict[str, str] | None = None
    ) -> ProtoSchema:
        folder = tmp_path_factory.mktemp("proto")
        imports = "".join(f'import "{path}";\n' for path in files or {})
        head = f'syntax = "{syntax}";\n' + (f"package {package};\n" if package else "")
        for path, text in {**(files or {}), "library.proto": head + imports + body}.items():
            (folder / path).write_text(text)
        found = folder / "descriptors"
        arguments = [f"-I{folder}", f"-I{CONTRACT}", f"-I{WELL_KNOWN}", f"--descriptor_set_out={found}"]
        assert protoc.main(["protoc", *arguments, "--include_imports", "library.proto"]) == 0
        return ProtoSchema.from_set(FileDescriptorSet.FromString(found.read_bytes()), "library.proto")

    return compiled


@pytest.fixture(scope="session")
def verdict(schema: Compile) -> Callable[..., tuple[bool, set[str]]]:
    """Compare two bodies: whether the change is compatible, and every kind with its path."""

    def judged(
        old: str,
        new: str,
        *,
        rules: Rules = Rules.CONFLUENT,
        old_options: Any = None,
        new_options: Any = None,
        **options: Any,
    ) -> tuple[bool, set[str]]:
        before = schema(old, **options, **(old_options or {}))
        after = schema(new, **options, **(new_options or {}))
        changes = compare(before, after, rules=rules)
        return all(change.compatible for change in changes), {f"{c.kind} {c.path}" for c in changes}

    return judged


@pytest.fixture(scope="session")
def refused(schema: Compile) -> Callable[..., set[str]]:
    """Compare two bodies by the strict rules: every refused kind with its path."""

    def judged(
        old: str, new: str, *, old_options: Any = None, new_options: Any = None, **options: Any
    ) -> set[str]:
        before = schema(old, **options, **(old_options or {}))
        after = schema(new, **options, **(new_options or {}))
        changes = compare(before, after, rules=Rules.STRICT)
        return {f"{change.kind} {change.path}" for change in changes if not change.compatible}

    return judged
