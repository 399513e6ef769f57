"""A folder, a commit or a wheel with .proto files, compiled to a version of a contract."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Protocol

from immersiverse.auth.events.catalog import OPTIONS_FILE
from immersiverse.auth.events.descriptors import WELL_KNOWN
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.proto_text import imports
from immersiverse.auth.events.protoc import compile_files, is_import_path
from immersiverse.auth.events.schema_checks.version import ContractVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_TEXT = 16 * 2**20
"""Bytes of a .proto file: some fifty thousand messages. A larger one was not written by a person."""

_USUAL_ROOT = "proto"
_NOT_SEARCHED = frozenset({"node_modules", "site-packages"})


class FileTree(Protocol):
    """Files by their paths with ``/``."""

    def read(self, path: str) -> bytes | None:
        """A file's content; None if there is no such file.

        Raises:
            InvalidSchema: the file exists and cannot be read.
        """
        ...

    def proto_files(self, folder: str) -> Iterable[str]:
        """The paths of the .proto files below a folder; ``""`` is the whole tree."""
        ...


def tree_version(tree: FileTree, folder: str, label: str) -> ContractVersion:
    """Every .proto file below a folder; import paths begin at its subfolder ``proto``, if that holds any.

    Raises:
        InvalidSchema: one is not valid.
        MissingExtra: grpcio-tools is not installed.
    """
    root = f"{folder}/{_USUAL_ROOT}".lstrip("/")
    paths = list(tree.proto_files(root))
    if not paths:
        root, paths = folder, list(tree.proto_files(folder))
    prefix = f"{root}/" if root else ""
    names = (path.removeprefix(prefix) for path in sorted(paths))
    return _compiled(label, _Sources(tree, [root]), [name for name in names if name not in WELL_KNOWN])


def file_version(tree: FileTree, path: str, label: str) -> ContractVersion:
    """One .proto file; what it imports is looked for in its folder and in those above.

    Raises:
        InvalidSchema: there is no such file, or it or what it imports is not valid.
        MissingExtra: grpcio-tools is not installed.
    """
    if tree.read(path) is None:
        raise InvalidSchema(f"{label}: there is no file {path}")
    folders = path.split("/")[:-1]
    roots = ["/".join(folders[:count]) for count in range(len(folders), -1, -1)]
    return _compiled(label, _Sources(tree, roots), [path.rpartition("/")[2]], lone=True)


def too_large(path: str) -> InvalidSchema:
    """What to raise about a text above the limit."""
    return InvalidSchema(f"{path} is larger than {MAX_TEXT // 2**20} MB: no .proto file is")


def _compiled(label: str, sources: _Sources, paths: list[str], *, lone: bool = False) -> ContractVersion:
    texts = sources.with_imports(paths)
    known = {OPTIONS_FILE.name: OPTIONS_FILE}
    known |= compile_files(texts, descriptors=[file for name, file in known.items() if name not in texts])
    return ContractVersion.of_files(label, paths, known, lone=lone)


class _Sources:
    """Texts of .proto files by their import paths.

    Args:
        tree: where they are.
        roots: the folders that import paths may begin at, the first first.
    """

    def __init__(self, tree: FileTree, roots: list[str]) -> None:
        self._tree = tree
        self._roots = roots

    def with_imports(self, paths: list[str]) -> dict[str, str]:
        """The texts of some files, and of all that they import and that is here."""
        texts: dict[str, str] = {}
        todo = list(reversed(paths))
        while todo:
            path = todo.pop()
            if path in texts or path in WELL_KNOWN or (content := self._content(path)) is None:
                continue
            texts[path] = _text(path, content)
            todo += _imports(path, texts[path])
        return texts

    def _content(self, path: str) -> bytes | None:
        contents = (self._tree.read(f"{root}/{path}".lstrip("/")) for root in self._roots)
        return next((content for content in contents if content is not None), None)


def _text(path: str, content: bytes) -> str:
    if len(content) > MAX_TEXT:
        raise too_large(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidSchema(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error


def _imports(path: str, text: str) -> Iterator[str]:
    for imported in imports(text):
        if not is_import_path(imported):  # so that no file outside the folders of a version is opened
            raise InvalidSchema(f"{path} imports {imported!r}, which is not an import path")
        yield imported


class Folder:
    """Files on disk.

    Args:
        place: what the paths begin at.
    """

    def __init__(self, place: Path) -> None:
        self._place = place

    def read(self, path: str) -> bytes | None:
        """As of FileTree."""
        file = self._place / path
        try:
            if file.stat().st_size > MAX_TEXT:
                raise too_large(str(file))
            return file.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError as error:
            raise InvalidSchema(f"cannot read {file}: {error.strerror}") from error

    def proto_files(self, folder: str) -> Iterable[str]:
        """As of FileTree, without hidden folders and those of installed packages."""
        for file in sorted((self._place / folder).rglob("*.proto")):
            path = file.relative_to(self._place)
            if file.is_file() and not any(p.startswith(".") or p in _NOT_SEARCHED for p in path.parts):
                yield path.as_posix()


class Archive:
    """Files in a wheel, or in any other zip file.

    Args:
        path: the archive.

    Raises:
        InvalidSchema: this is not an archive.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self._names = frozenset(archive.namelist())
        except (OSError, zipfile.BadZipFile) as error:
            raise InvalidSchema(f"{path} is not a wheel: {error}") from error

    def read(self, path: str) -> bytes | None:
        """As of FileTree."""
        if path not in self._names:
            return None
        try:
            with zipfile.ZipFile(self._path) as archive:
                if archive.getinfo(path).file_size > MAX_TEXT:  # a small archive may unpack to any size
                    raise too_large(path)
                return archive.read(path)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise InvalidSchema(f"{self._path} is damaged at {path}: {error}") from error

    def proto_files(self, folder: str) -> Iterable[str]:
        """As of FileTree."""
        prefix = f"{folder}/" if folder else ""
        return sorted(name for name in self._names if name.startswith(prefix) and name.endswith(".proto"))
