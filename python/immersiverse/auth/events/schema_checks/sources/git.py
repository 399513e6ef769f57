"""The files of a git commit, without a checkout of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterable


class GitCommit:
    """Files of a commit, by their paths in the repository. A shallow clone is enough if it holds the commit.

    Args:
        ref: a branch, a tag, or any name that git knows for a commit.
        inside: a folder of the repository.

    Raises:
        InvalidSchema: git is not installed, this is not a repository, or it has no such commit.
    """

    def __init__(self, ref: str, inside: Path) -> None:
        self._inside = inside
        self.top = Path(self._ask("rev-parse", "--show-toplevel").decode().strip())
        self._commit = self._resolve(ref)

    @staticmethod
    def is_unborn(ref: str, inside: Path) -> bool:
        """Whether a name stands for a commit that does not exist yet, as HEAD does in a new repository."""
        if ref != "HEAD":
            return False
        return not _git(inside, "symbolic-ref", ref).returncode and bool(
            _git(inside, "rev-parse", "--verify", "--quiet", ref).returncode
        )

    def read(self, path: str) -> bytes | None:
        """As of FileTree."""
        done = self._run("cat-file", "blob", f"{self._commit}:{path}")
        return None if done.returncode else done.stdout

    def proto_files(self, folder: str) -> Iterable[str]:
        """As of FileTree."""
        return [name for name in self.files(folder) if name.endswith(".proto")]

    def files(self, folder: str) -> list[str]:
        """The paths of all files below a folder; ``""`` is the repository."""
        arguments = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", self._commit, "--", folder or ".")
        return [name for name in self._ask(*arguments).decode(errors="replace").split("\0") if name]

    def _resolve(self, ref: str) -> str:
        for name in (ref, f"origin/{ref}"):  # a clone of one branch knows the others by their remote's names
            done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            if done.returncode == 0:
                return done.stdout.decode().strip()
        raise InvalidSchema(
            f"git knows no commit {ref!r} here; in a shallow clone: git fetch --depth 1 origin {ref}"
        )

    def _ask(self, *arguments: str) -> bytes:
        done = self._run(*arguments)
        if done.returncode:
            raise InvalidSchema(f"git: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return _git(self._inside, *arguments)


def _git(inside: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - git, with names that were resolved or follow --
            ["git", "-C", str(inside), *arguments],  # noqa: S607 - the user's git
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except OSError as error:
        raise InvalidSchema(f"cannot run git: {error.strerror}") from error
