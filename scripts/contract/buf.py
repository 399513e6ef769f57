"""What buf says: its lint, and its breaking rules against the base and the last release."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from contract.fault import Fault
from contract.tree import PROTO, ROOT, Tree
from golden.corpus.release import DESCRIPTORS

_VIOLATIONS = 100  # buf's exit code if it found any


def lint(_: Tree) -> list[Fault]:
    """The style that every file keeps."""
    return _buf("lint")


def breaking_base(tree: Tree) -> list[Fault]:
    """What would break users of the base."""
    if tree.commit is None:
        return []
    folder = tree.scratch / "base"
    for path in tree.commit.proto_files(PROTO):
        file = folder / Path(path).relative_to(PROTO)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(tree.commit.read(path) or b"")
    return _buf("breaking", "--against", str(folder)) if folder.exists() else []


def breaking_release(tree: Tree) -> list[Fault]:
    """What would break users of the last release."""
    if not tree.releases:
        return []
    return _buf("breaking", "--against", str(tree.releases[-1].folder / DESCRIPTORS))


def _buf(*arguments: str) -> list[Fault]:
    buf = shutil.which("buf", path=str(Path(sys.prefix) / "bin")) or "buf"
    done = subprocess.run(
        [buf, *arguments, "--error-format", "json"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if done.returncode not in (0, _VIOLATIONS):
        return [Fault(done.stderr.strip() or done.stdout.strip(), "buf")]
    return [_fault(json.loads(line)) for line in done.stdout.splitlines() if line]


def _fault(found: dict[str, str | int]) -> Fault:
    return Fault(
        str(found["message"]),
        f"buf {found['type']}",
        str(found.get("path", "")),
        int(found.get("start_line", 1)),
    )
