"""Whether a Protobuf file holds together with what it imports, as the protobuf runtime sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import descriptor_pool

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile import well_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

BUILT_IN = ("google/protobuf/", "google/type/", "confluent/")
"""What Confluent's clients import without a reference, since each brings its own copy."""


def link(file: FileDescriptorProto, dependencies: Mapping[str, FileDescriptorProto]) -> None:
    """Check that every import is there and every type is found.

    Args:
        file: any name it has is ignored.
        dependencies: files by import path, each after those it needs.

    Raises:
        InvalidSchema: it does not hold together; the message names the import or the type.
    """
    missing = [name for name in file.dependency if name not in dependencies and well_known(name) is None]
    foreign = [name for name in missing if not name.startswith(BUILT_IN)]
    if foreign:
        raise InvalidSchema(f"no reference answers for the import {foreign[0]!r}")
    if not missing:
        _build(file, dependencies)


def _build(file: FileDescriptorProto, dependencies: Mapping[str, FileDescriptorProto]) -> None:
    pool = descriptor_pool.DescriptorPool()
    added: set[str] = set()
    for one in dependencies.values():
        _add(pool, one, added)
    unnamed = type(file)()
    unnamed.CopyFrom(file)
    unnamed.name = ""
    _add(pool, unnamed, added)


def _add(pool: descriptor_pool.DescriptorPool, file: FileDescriptorProto, added: set[str]) -> None:
    for name in file.dependency:
        shipped = well_known(name)
        if shipped is not None and name not in added:
            _add(pool, shipped, added)
    added.add(file.name)
    try:
        pool.AddSerializedFile(file.SerializeToString())
        # Only looking it up makes some runtimes resolve its types.
        pool.FindFileByName(file.name)
    except (TypeError, KeyError) as error:
        raise InvalidSchema(str(error)) from error
