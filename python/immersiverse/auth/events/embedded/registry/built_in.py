"""Files that Confluent's clients import without registering them, since every client brings its own copy."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.protofile import well_known

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDERS = ("google/protobuf/", "google/type/", "confluent/")

_HOMES = {"google/type/": "google.type.", "confluent/": "confluent_kafka.schema_registry.confluent."}
_SAFE = re.compile(r"(google/type/|confluent/)([a-z_]+(?:/[a-z_]+)*)\.proto")


def built_in(name: str) -> FileDescriptorProto | None:
    """The file under an import path, if it is such a file and its Python package is installed."""
    return well_known(name) or _installed(name)


def named_in(text: str) -> dict[str, FileDescriptorProto]:
    """Those that a ``.proto`` text names, by import path; ``google/protobuf`` is left to its parser."""
    return _found(match[0] for match in _SAFE.finditer(text))


def imported_by(file: FileDescriptorProto) -> dict[str, FileDescriptorProto]:
    """Those that a file imports, by import path; ``google/protobuf`` is left to its printer."""
    return _found(name for name in file.dependency if _SAFE.fullmatch(name))


def _found(names: Iterable[str]) -> dict[str, FileDescriptorProto]:
    return {name: file for name in names if (file := built_in(name)) is not None}


def _installed(name: str) -> FileDescriptorProto | None:
    match = _SAFE.fullmatch(name)
    if match is None:
        return None
    module = _HOMES[match[1]] + match[2].replace("/", ".") + "_pb2"
    try:
        return FileDescriptorProto.FromString(import_module(module).DESCRIPTOR.serialized_pb)
    except ImportError:
        return None
