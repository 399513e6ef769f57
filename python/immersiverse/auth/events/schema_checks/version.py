"""One version of a contract: its files, and which of them corresponds to which of another version."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SHOWN = 5


@dataclass(frozen=True)
class ProtoSchema:
    """One version of a Protobuf schema, as a registry holds it.

    Attributes:
        root: the file to be checked.
        dependencies: the files it imports, directly or not, by their import path. ``google/protobuf/*.proto``
            may be left out. A type of any other missing file is compared by its name alone.
    """

    root: FileDescriptorProto
    dependencies: Mapping[str, FileDescriptorProto] = field(default_factory=dict)


@dataclass(frozen=True)
class ContractVersion:
    """One version of a contract.

    Attributes:
        label: what the user calls it, such as ``git#main``.
        files: each file to be checked with what it imports, in the order of their paths.
        lone: whether it is one file that was named by itself: it is then compared with a file of any path.
    """

    label: str
    files: tuple[ProtoSchema, ...]
    lone: bool = False

    @classmethod
    def of_files(
        cls, label: str, paths: Iterable[str], known: Mapping[str, FileDescriptorProto], *, lone: bool = False
    ) -> Self:
        """A version of the files at some import paths; what they import is among those known."""
        files = (ProtoSchema(known[path], imported(known[path], known)) for path in paths)
        return cls(label, tuple(files), lone)

    def file(self, path: str) -> ProtoSchema | None:
        """The file of an import path."""
        return next((schema for schema in self.files if schema.root.name == path), None)


def imported(
    file: FileDescriptorProto, known: Mapping[str, FileDescriptorProto]
) -> dict[str, FileDescriptorProto]:
    """The known files that a file imports, directly or not, by import path."""
    found: dict[str, FileDescriptorProto] = {}
    todo = list(file.dependency)
    while todo:
        path = todo.pop()
        if path in known and path not in found:
            found[path] = known[path]
            todo += known[path].dependency
    return found


def pairs(old: ContractVersion, new: ContractVersion) -> Iterator[tuple[ProtoSchema, ProtoSchema]]:
    """The files to be compared, by their paths; for a removed or added file the other side is empty.

    Raises:
        InvalidSchema: one version is a lone file that the other does not hold.
    """
    if old.lone and new.lone:
        yield old.files[0], new.files[0]
    elif new.lone and old.files:
        yield _counterpart(old, new.files[0]), new.files[0]
    elif old.lone and new.files:
        yield old.files[0], _counterpart(new, old.files[0])
    else:
        for schema in old.files:
            yield schema, new.file(schema.root.name) or _emptied(schema)
        for schema in new.files:
            if old.file(schema.root.name) is None:
                yield _emptied(schema), schema


def _shortened(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _SHOWN} others" if len(every) > _SHOWN else ""
    return (", ".join(every[:_SHOWN]) or "none") + more


def _counterpart(version: ContractVersion, lone: ProtoSchema) -> ProtoSchema:
    """The file that a lone one stands for: of its name, and of its package if there are several."""
    same = [schema for schema in version.files if _file_name(schema) == _file_name(lone)]
    if len(same) > 1:
        same = [schema for schema in same if schema.root.package == lone.root.package]
    if len(same) != 1:
        names = _shortened(schema.root.name for schema in version.files)
        raise InvalidSchema(f"{version.label} holds no file {lone.root.name!r}, only {names}")
    return same[0]


def _file_name(schema: ProtoSchema) -> str:
    return schema.root.name.rpartition("/")[2]


def _emptied(schema: ProtoSchema) -> ProtoSchema:
    file = schema.root
    empty = FileDescriptorProto(name=file.name, package=file.package, syntax=file.syntax)
    empty.options.CopyFrom(file.options)
    return ProtoSchema(empty)
