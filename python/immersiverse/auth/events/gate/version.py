"""One version of a contract: its files, and which of them answers to which of another version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.compatibility import Schema
from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterator


_FEW = 5


@dataclass(frozen=True)
class Version:
    """One version of a contract.

    Attributes:
        label: what the user calls it, such as ``git#main``.
        files: each file under judgement with what it imports, in the order of their paths.
        lone: whether it is one file that was named by itself: it then answers to a file of any path.
    """

    label: str
    files: tuple[Schema, ...]
    lone: bool = False

    def file(self, path: str) -> Schema | None:
        """The file of an import path."""
        return next((schema for schema in self.files if schema.root.name == path), None)


def pairs(old: Version, new: Version) -> Iterator[tuple[Schema, Schema]]:
    """The files that are to be compared, by their paths; one that is gone became empty, a new one was empty.

    Raises:
        InvalidSchema: one version is a lone file that the other does not hold.
    """
    if old.lone and new.lone:
        yield old.files[0], new.files[0]
    elif new.lone and old.files:
        yield _namesake(old, new.files[0]), new.files[0]
    elif old.lone and new.files:
        yield old.files[0], _namesake(new, old.files[0])
    else:
        for schema in old.files:
            yield schema, new.file(schema.root.name) or _emptied(schema)
        for schema in new.files:
            if old.file(schema.root.name) is None:
                yield _emptied(schema), schema


def _namesake(version: Version, lone: Schema) -> Schema:
    """The file that a lone one stands for: of its name, and of its package if there are several."""
    same = [schema for schema in version.files if _file_name(schema) == _file_name(lone)]
    if len(same) > 1:
        same = [schema for schema in same if schema.root.package == lone.root.package]
    if len(same) != 1:
        raise InvalidSchema(f"{version.label} holds no file {lone.root.name!r}, only {_some(version.files)}")
    return same[0]


def _some(files: tuple[Schema, ...]) -> str:
    names = [schema.root.name for schema in files]
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} others" if len(names) > _FEW else "")


def _file_name(schema: Schema) -> str:
    return schema.root.name.rpartition("/")[2]


def _emptied(schema: Schema) -> Schema:
    file = schema.root
    empty = FileDescriptorProto(name=file.name, package=file.package, syntax=file.syntax)
    empty.options.CopyFrom(file.options)
    return Schema(empty)
