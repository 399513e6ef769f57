"""Where .proto texts are kept: a folder, a commit, a wheel."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Protocol

from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_TEXT = 16 * 2**20
"""Bytes of a .proto text: some fifty thousand messages. Whatever is larger was not written by a person."""

_LEFT_OUT = frozenset({"node_modules", "site-packages"})


def too_large(path: str) -> InvalidSchema:
    """What to raise about a text above the limit."""
    return InvalidSchema(f"{path} is larger than {MAX_TEXT // 2**20} MB: no .proto file is")


class Texts(Protocol):
    """Files by their paths with ``/``, from a place of their own."""

    def read(self, path: str) -> bytes | None:
        """A file's content; None if there is no such file.

        Raises:
            InvalidSchema: it is there and cannot be read.
        """
        ...

    def proto_files(self, folder: str) -> Iterable[str]:
        """The paths of the .proto files below a folder; ``""`` is the place itself."""
        ...


class Folder:
    """Files on disk.

    Args:
        place: what the paths begin at.
    """

    def __init__(self, place: Path) -> None:
        self._place = place

    def read(self, path: str) -> bytes | None:
        """As of Texts."""
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
        """As of Texts, without hidden folders and those of installed packages."""
        for file in sorted((self._place / folder).rglob("*.proto")):
            path = file.relative_to(self._place)
            if file.is_file() and not any(p.startswith(".") or p in _LEFT_OUT for p in path.parts):
                yield path.as_posix()


class Archive:
    """Files in a wheel, or in any other zip file.

    Args:
        path: the archive.

    Raises:
        InvalidSchema: it is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self._names = frozenset(archive.namelist())
        except (OSError, zipfile.BadZipFile) as error:
            raise InvalidSchema(f"{path} is no wheel: {error}") from error

    def read(self, path: str) -> bytes | None:
        """As of Texts."""
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
        """As of Texts."""
        prefix = f"{folder}/" if folder else ""
        return sorted(name for name in self._names if name.startswith(prefix) and name.endswith(".proto"))
