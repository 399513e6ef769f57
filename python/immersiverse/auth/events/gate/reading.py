"""A version of a contract from wherever a user says it is."""

from __future__ import annotations

import zipfile
from pathlib import Path

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.gate.commit import Commit
from immersiverse.auth.events.gate.contract import checkout
from immersiverse.auth.events.gate.descriptor_set import set_version
from immersiverse.auth.events.gate.parsing import file_version, tree_version
from immersiverse.auth.events.gate.texts import Archive, Folder
from immersiverse.auth.events.gate.version import Version

_GIT = "git#"
_PROTO = ".proto"


def read(reference: str, *, like: Path | None = None) -> Version:
    """A version from a .proto file, a folder of them, a wheel, a descriptor set, or a commit.

    Args:
        reference: a path, or ``git#REF`` or ``git#REF:PATH`` for what the working folder's repository had.
        like: for a commit without a path, the file or folder whose earlier content is wanted; the checkout's
            contract unless given.

    Raises:
        InvalidSchema: it cannot be found, or is none of these, or is not valid, or holds no .proto file.
    """
    found = read_if_any(reference, like=like)
    if not found.files:
        raise InvalidSchema(f"{reference} holds no .proto files")
    return found


def read_if_any(reference: str, *, like: Path | None = None) -> Version:
    """As ``read``, but a place without .proto files or a commit that is still to be made is an empty version.

    Raises:
        InvalidSchema: it cannot be found, or is no version, or is not valid.
    """
    try:
        return (
            _at_commit(reference, like)
            if reference.startswith(_GIT)
            else _at_path(Path(reference), reference)
        )
    except InvalidSchema as error:
        raise InvalidSchema(_placed(str(error), reference)) from error
    except OSError as error:
        raise InvalidSchema(f"cannot read {reference[:200]}: {error.strerror}") from error


def _placed(said: str, reference: str) -> str:
    """What is wrong with a version, with its place: two versions have files of the same names."""
    if reference in said:
        return said
    name = reference.rpartition("/")[2]
    if said.startswith((f"{name}:", f"{name} ")):
        return reference.removesuffix(name) + said
    return f"{reference}: {said}"


def _at_path(path: Path, reference: str) -> Version:
    if path.is_dir():
        return tree_version(Folder(path), "", reference)
    if not path.is_file():
        there = path.is_symlink() or path.exists()
        raise InvalidSchema(
            f"{reference} is neither a file nor a folder"
            if there
            else f"there is no file or folder {reference}"
        )
    path = path.resolve()
    if path.suffix == _PROTO:
        return file_version(Folder(Path(path.anchor)), path.relative_to(path.anchor).as_posix(), reference)
    if zipfile.is_zipfile(path):
        return tree_version(Archive(path), "", reference)
    return set_version(path.read_bytes(), reference)


def _at_commit(reference: str, like: Path | None) -> Version:
    ref, _, path = reference.removeprefix(_GIT).partition(":")
    if not ref:
        raise InvalidSchema("git# takes the name of a commit, such as git#main")
    if Commit.is_first(ref, Path.cwd()):
        return Version(reference, ())
    commit = Commit(ref, Path.cwd())
    where = path.strip("/") or _inside(like, commit.top)
    if where.endswith(_PROTO):
        return file_version(commit, where, reference)
    return tree_version(commit, where, reference)


def _inside(like: Path | None, top: Path) -> str:
    """Where in a repository a path is; for one of elsewhere, where the contract is."""
    root = top.resolve()
    for path in (like and like.resolve(), checkout(Path.cwd())):
        if path and path.is_relative_to(root):
            return path.relative_to(root).as_posix().removeprefix(".")
    return ""
