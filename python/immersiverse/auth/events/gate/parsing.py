"""From texts to versions: each .proto file with what it imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility import Schema
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.gate.texts import MAX_TEXT, too_large
from immersiverse.auth.events.gate.version import Version
from immersiverse.auth.events.gate.words import imports
from immersiverse.auth.events.protofile import is_well_known, parse_file
from immersiverse.auth.events.registry.contract import OPTIONS_FILE

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from immersiverse.auth.events.gate.texts import Texts

_USUAL_ROOT = "proto"
_MAX_IMPORTS = 100  # in a row; no real file needs a tenth


def tree_version(texts: Texts, folder: str, label: str) -> Version:
    """Every .proto file below a folder; import paths begin at its subfolder ``proto``, if that holds any.

    Raises:
        InvalidSchema: one is not valid.
    """
    usual = f"{folder}/{_USUAL_ROOT}".lstrip("/")
    root, paths = usual, list(texts.proto_files(usual))
    if not paths:
        root, paths = folder, list(texts.proto_files(folder))
    files = _Files(texts, [root])
    prefix = f"{root}/" if root else ""
    return Version(label, tuple(files.schema(path.removeprefix(prefix)) for path in sorted(paths)))


def file_version(texts: Texts, path: str, label: str) -> Version:
    """One .proto file; what it imports is looked for in its folder and in those above.

    Raises:
        InvalidSchema: there is none, or it or what it needs of its imports is not valid.
    """
    if texts.read(path) is None:
        raise InvalidSchema(f"{label}: there is no file {path}")
    folders = path.split("/")[:-1]
    roots = ["/".join(folders[:count]) for count in range(len(folders), -1, -1)]
    return Version(label, (_Files(texts, roots).schema(path.rpartition("/")[2]),), lone=True)


class _Files:
    """Files parsed once each, by their import paths.

    Args:
        texts: where they are.
        roots: the folders that import paths may begin at, the first first.
    """

    def __init__(self, texts: Texts, roots: list[str]) -> None:
        self._texts = texts
        self._roots = roots
        self._parsed: dict[str, FileDescriptorProto] = {}

    def schema(self, path: str) -> Schema:
        root = self._file(path, ())
        return Schema(root, self._reachable(root))

    def _file(self, path: str, above: tuple[str, ...]) -> FileDescriptorProto:
        if path in above or len(above) > _MAX_IMPORTS:
            raise InvalidSchema(f"{path} imports itself: {' -> '.join((*above, path)[-5:])}")
        if path not in self._parsed:
            self._parsed[path] = self._parse(path, above)
        return self._parsed[path]

    def _parse(self, path: str, above: tuple[str, ...]) -> FileDescriptorProto:
        text = self._text(path)
        for imported in imports(text):
            if not _is_import_path(imported):
                raise InvalidSchema(
                    f"{path} imports {imported!r}: an import path has no '..', '.', '\\' or '//'"
                )
            if self._known(imported):
                self._file(imported, (*above, path))
        return parse_file(text, name=path, dependencies=self._parsed)

    def _known(self, path: str) -> bool:
        if is_well_known(path) or path in self._parsed:
            return False
        if self._content(path) is not None:
            return True
        if path == OPTIONS_FILE.name:
            self._parsed[path] = OPTIONS_FILE
        return False

    def _text(self, path: str) -> str:
        try:
            content = self._content(path) or b""
            if len(content) > MAX_TEXT:
                raise too_large(path)
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidSchema(
                f"{path} is no text in UTF-8: {error.reason} at byte {error.start}"
            ) from error

    def _content(self, path: str) -> bytes | None:
        for root in self._roots:
            content = self._texts.read(f"{root}/{path}".lstrip("/"))
            if content is not None:
                return content
        return None

    def _reachable(self, file: FileDescriptorProto) -> dict[str, FileDescriptorProto]:
        found: dict[str, FileDescriptorProto] = {}
        todo = list(file.dependency)
        while todo:
            path = todo.pop()
            if path not in found and path in self._parsed:
                found[path] = self._parsed[path]
                todo += found[path].dependency
        return found


def _is_import_path(path: str) -> bool:
    """As protoc has it, so that no file outside the folders of a version is opened."""
    return "\\" not in path and not {"", ".", ".."} & set(path.split("/"))
