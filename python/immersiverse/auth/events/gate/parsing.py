"""From texts to versions: each .proto file with what it imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility import Schema
from immersiverse.auth.events.descriptors import WELL_KNOWN
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.gate.texts import MAX_TEXT, too_large
from immersiverse.auth.events.gate.version import Version
from immersiverse.auth.events.proto_text import imports
from immersiverse.auth.events.protoc import compile_files, is_import_path
from immersiverse.auth.events.registry.contract import OPTIONS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from immersiverse.auth.events.gate.texts import Texts

_USUAL_ROOT = "proto"


def tree_version(texts: Texts, folder: str, label: str) -> Version:
    """Every .proto file below a folder; import paths begin at its subfolder ``proto``, if that holds any.

    Raises:
        InvalidSchema: one is not valid.
    """
    usual = f"{folder}/{_USUAL_ROOT}".lstrip("/")
    root, paths = usual, list(texts.proto_files(usual))
    if not paths:
        root, paths = folder, list(texts.proto_files(folder))
    prefix = f"{root}/" if root else ""
    files = _Files(texts, [root]).schemas(path.removeprefix(prefix) for path in sorted(paths))
    return Version(label, files)


def file_version(texts: Texts, path: str, label: str) -> Version:
    """One .proto file; what it imports is looked for in its folder and in those above.

    Raises:
        InvalidSchema: there is none, or it or what it needs of its imports is not valid.
    """
    if texts.read(path) is None:
        raise InvalidSchema(f"{label}: there is no file {path}")
    folders = path.split("/")[:-1]
    roots = ["/".join(folders[:count]) for count in range(len(folders), -1, -1)]
    return Version(label, _Files(texts, roots).schemas([path.rpartition("/")[2]]), lone=True)


class _Files:
    """Files and all that they import, by their import paths, compiled together.

    Args:
        texts: where they are.
        roots: the folders that import paths may begin at, the first first.
    """

    def __init__(self, texts: Texts, roots: list[str]) -> None:
        self._texts = texts
        self._roots = roots

    def schemas(self, paths: Iterable[str]) -> tuple[Schema, ...]:
        """Each file with those that it imports."""
        wanted = list(paths)
        found: dict[str, str] = {}
        todo = [path for path in reversed(wanted) if path not in WELL_KNOWN]
        while todo:
            path = todo.pop()
            if path not in found and (text := self._text(path)) is not None:
                found[path] = text
                todo += _imported(path, text)
        # A lone file of the contract needs no checkout around it.
        compiled = compile_files(found, descriptors=() if OPTIONS_FILE.name in found else [OPTIONS_FILE])
        compiled.setdefault(OPTIONS_FILE.name, OPTIONS_FILE)
        return tuple(Schema(compiled[path], _reachable(compiled, path)) for path in wanted if path in found)

    def _text(self, path: str) -> str | None:
        try:
            content = self._content(path)
            if content is not None and len(content) > MAX_TEXT:
                raise too_large(path)
            return None if content is None else content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidSchema(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error

    def _content(self, path: str) -> bytes | None:
        for root in self._roots:
            content = self._texts.read(f"{root}/{path}".lstrip("/"))
            if content is not None:
                return content
        return None


def _imported(path: str, text: str) -> list[str]:
    found = [imported for imported in imports(text) if imported not in WELL_KNOWN]
    for imported in found:
        if not is_import_path(imported):
            raise InvalidSchema(f"{path} imports {imported!r}, which is not an import path")
    return found


def _reachable(files: Mapping[str, FileDescriptorProto], path: str) -> dict[str, FileDescriptorProto]:
    found: dict[str, FileDescriptorProto] = {}
    todo = list(files[path].dependency)
    while todo:
        imported = todo.pop()
        if imported not in found and imported in files:
            found[imported] = files[imported]
            todo += files[imported].dependency
    return found
