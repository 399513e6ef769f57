"""Files that Confluent's clients import without registering them, since every client brings its own copy."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.descriptors import WELL_KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDERS = ("google/protobuf/", "google/type/", "confluent/")

_HOMES = {"google/type/": "google.type.", "confluent/": "confluent_kafka.schema_registry.confluent."}
_SAFE = re.compile(r"(google/type/|confluent/)([a-z_]+(?:/[a-z_]+)*)\.proto")


def built_in(name: str) -> FileDescriptorProto | None:
    """The file under an import path, if it is such a file and its Python package is installed."""
    if name in WELL_KNOWN:
        return _file(f"google.protobuf.{name.removeprefix(FOLDERS[0])}")
    match = _SAFE.fullmatch(name)
    return _file(f"{_HOMES[match[1]]}{match[2]}.proto") if match else None


def named_in(text: str) -> dict[str, FileDescriptorProto]:
    """Those that a ``.proto`` text names, by import path; protoc brings ``google/protobuf`` itself."""
    return found(match[0] for match in _SAFE.finditer(text))


def found(names: Iterable[str]) -> dict[str, FileDescriptorProto]:
    """Those among some import paths, without ``google/protobuf``."""
    paths = {name for name in names if _SAFE.fullmatch(name)}
    return {name: file for name in paths if (file := built_in(name)) is not None}


def _file(path: str) -> FileDescriptorProto | None:
    module = path.removesuffix(".proto").replace("/", ".") + "_pb2"
    try:
        return FileDescriptorProto.FromString(import_module(module).DESCRIPTOR.serialized_pb)
    except ImportError:
        return None
