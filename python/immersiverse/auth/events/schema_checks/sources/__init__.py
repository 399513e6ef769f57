"""A version of a contract from what a user names: a file, folder, wheel, descriptor set, or commit."""

from __future__ import annotations

import zipfile
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError

from immersiverse.auth.events.descriptors import WELL_KNOWN
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.schema_checks.sources.contract import checkout
from immersiverse.auth.events.schema_checks.sources.files import Archive, Folder, file_version, tree_version
from immersiverse.auth.events.schema_checks.sources.git import GitCommit
from immersiverse.auth.events.schema_checks.version import ContractVersion

_GIT = "git#"
_PROTO = ".proto"


def read(reference: str, *, like: Path | None = None, allow_empty: bool = False) -> ContractVersion:
    """A version from a .proto file, a folder of them, a wheel, a descriptor set, or a commit.

    Args:
        reference: a path, or ``git#REF`` or ``git#REF:PATH`` for what the working folder's repository had.
        like: for a commit without a path, the file or folder whose earlier content is wanted; the checkout's
            contract unless given.
        allow_empty: take a place without .proto files, and HEAD of a new repository, for an empty version.

    Raises:
        InvalidSchema: it cannot be found, or is none of these, or is not valid, or holds no .proto file.
        MissingExtra: .proto files cannot be compiled without grpcio-tools.
    """
    try:
        if reference.startswith(_GIT):
            found = _at_commit(reference, like)
        else:
            found = _at_path(Path(reference), reference)
    except InvalidSchema as error:
        raise InvalidSchema(_located(str(error), reference)) from error
    except OSError as error:
        raise InvalidSchema(f"cannot read {reference[:200]}: {error.strerror}") from error
    if not found.files and not allow_empty:
        raise InvalidSchema(f"{reference} holds no .proto files")
    return found


def _located(message: str, reference: str) -> str:
    """What is wrong with a version, with where it is: two versions have files of the same names."""
    if reference in message:
        return message
    name = reference.rpartition("/")[2]
    if message.startswith((f"{name}:", f"{name} ")):
        return reference.removesuffix(name) + message
    return f"{reference}: {message}"


def _at_path(path: Path, reference: str) -> ContractVersion:
    if path.is_dir():
        return tree_version(Folder(path), "", reference)
    if not path.is_file():
        exists = path.is_symlink() or path.exists()
        raise InvalidSchema(
            f"{reference} is neither a file nor a folder"
            if exists
            else f"there is no file or folder {reference}"
        )
    path = path.resolve()
    if path.suffix == _PROTO:
        return file_version(Folder(Path(path.anchor)), path.relative_to(path.anchor).as_posix(), reference)
    if zipfile.is_zipfile(path):
        return tree_version(Archive(path), "", reference)
    return set_version(path.read_bytes(), reference)


def _at_commit(reference: str, like: Path | None) -> ContractVersion:
    ref, _, path = reference.removeprefix(_GIT).partition(":")
    if not ref:
        raise InvalidSchema("git# takes the name of a commit, such as git#main")
    if GitCommit.is_unborn(ref, Path.cwd()):
        return ContractVersion(reference, ())
    commit = GitCommit(ref, Path.cwd())
    where = path.strip("/") or _inside(like, commit.top)
    if where.endswith(_PROTO):
        return file_version(commit, where, reference)
    return tree_version(commit, where, reference)


def _inside(like: Path | None, top: Path) -> str:
    """Where in a repository a path is; for one outside, where the contract is."""
    root = top.resolve()
    for path in (like and like.resolve(), checkout(Path.cwd())):
        if path and path.is_relative_to(root):
            return path.relative_to(root).as_posix().removeprefix(".")
    return ""


def set_version(content: bytes, label: str) -> ContractVersion:
    """Every file of a descriptor set (of protoc or buf) but the well-known ones.

    Raises:
        InvalidSchema: the bytes are not a descriptor set.
    """
    try:
        files = FileDescriptorSet.FromString(content).file
    except DecodeError as error:
        raise InvalidSchema(
            f"{label} is not a .proto file or folder, a wheel or a descriptor set (protoc, buf build)"
        ) from error
    # Much else parses as some message, and none of it names its files.
    if not all(file.name.isprintable() and file.name for file in files):
        raise InvalidSchema(f"{label} is not a descriptor set: its files have no names")
    known = {file.name: file for file in files}
    paths = sorted(known.keys() - WELL_KNOWN)
    if not paths:
        raise InvalidSchema(f"{label} is not a descriptor set: it holds no file")
    return ContractVersion.of_files(label, paths, known)
