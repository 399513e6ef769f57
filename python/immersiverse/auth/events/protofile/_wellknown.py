"""The google/protobuf/*.proto files that the protobuf runtime ships."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from google.protobuf.descriptor_pb2 import FileDescriptorProto

_MODULES = {
    f"google/protobuf/{stem}.proto": f"google.protobuf.{stem.replace('/', '.')}_pb2"
    for stem in (
        "any",
        "api",
        "compiler/plugin",
        "descriptor",
        "duration",
        "empty",
        "field_mask",
        "source_context",
        "struct",
        "timestamp",
        "type",
        "wrappers",
    )
}


def is_well_known(name: str) -> bool:
    """Whether an import path is one that every protobuf runtime resolves by itself."""
    return name in _MODULES


def well_known(name: str) -> FileDescriptorProto | None:
    """The descriptor of a file that the protobuf runtime ships, by its import path; None for any other path.

    The answer is the caller's own copy.
    """
    if name not in _MODULES:
        return None
    return FileDescriptorProto.FromString(_serialized(name))


@cache
def _serialized(name: str) -> bytes:
    serialized: bytes = import_module(_MODULES[name]).DESCRIPTOR.serialized_pb
    return serialized
