"""Descriptor sets: what ``protoc --descriptor_set_out`` and ``buf build`` write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError

from immersiverse.auth.events.compatibility import Schema
from immersiverse.auth.events.descriptors import WELL_KNOWN
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.gate.version import Version

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto


def set_version(content: bytes, label: str) -> Version:
    """Every file of a descriptor set but those that every protobuf runtime has.

    Raises:
        InvalidSchema: the bytes are no descriptor set.
    """
    files = {file.name: file for file in _files(content, label)}
    judged = sorted(name for name in files if name not in WELL_KNOWN)
    if not judged:
        raise InvalidSchema(f"{label} is no descriptor set: no file is in it")
    return Version(
        label,
        tuple(Schema(files[name], {path: files[path] for path in files if path != name}) for name in judged),
    )


def _files(content: bytes, label: str) -> list[FileDescriptorProto]:
    try:
        files = list(FileDescriptorSet.FromString(content).file)
    except DecodeError as error:
        raise InvalidSchema(
            f"{label} is no .proto file or tree, no wheel and no descriptor set (protoc, buf build)"
        ) from error
    # Much else parses as some message, and none of it names its files.
    if not all(file.name.isprintable() and file.name for file in files):
        raise InvalidSchema(f"{label} is no descriptor set: its files have no names")
    return files
