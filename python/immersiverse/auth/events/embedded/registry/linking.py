"""Whether a Protobuf file holds together with what it imports, as the protobuf runtime sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from immersiverse.auth.events.embedded.registry.built_in import built_in
from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Mapping


def link(file: FileDescriptorProto, dependencies: Mapping[str, FileDescriptorProto]) -> None:
    """Check that every import is there and every type is found.

    Args:
        file: any name it has is ignored.
        dependencies: files by import path.

    Raises:
        InvalidSchema: it does not hold together; the message names the import or the type.
    """
    unnamed = FileDescriptorProto()
    unnamed.CopyFrom(file)
    unnamed.name = ""
    _add(DescriptorPool(), unnamed, dependencies, {""})


def _add(
    pool: DescriptorPool,
    file: FileDescriptorProto,
    dependencies: Mapping[str, FileDescriptorProto],
    added: set[str],
) -> None:
    for name in file.dependency:
        if name not in added:
            added.add(name)
            _add(pool, _needed(name, dependencies), dependencies, added)
    try:
        pool.AddSerializedFile(file.SerializeToString())
        # Only looking it up makes some runtimes resolve its types.
        pool.FindFileByName(file.name)
    except (TypeError, KeyError) as error:
        raise InvalidSchema(str(error)) from error


def _needed(name: str, dependencies: Mapping[str, FileDescriptorProto]) -> FileDescriptorProto:
    # A client may have registered a built-in file, too; what every client has is what counts.
    file = built_in(name) or dependencies.get(name)
    if file is None:
        raise InvalidSchema(f"no reference answers for the import {name!r}")
    return file
