"""The descriptors of google/protobuf/*.proto, which every schema may import without carrying them."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PATH = re.compile(r"google/protobuf/([a-z_]+)\.proto")


def well_known_files(imports: Iterable[str]) -> Iterator[FileDescriptorProto]:
    """Yield those of the imported files that protobuf itself brings, and what they import in turn."""
    seen: set[str] = set()
    todo = list(imports)
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        if (file := _load(path)) is not None:
            todo += file.dependency
            yield file


def _load(path: str) -> FileDescriptorProto | None:
    if (match := _PATH.fullmatch(path)) is None:
        return None
    try:
        module = import_module(f"google.protobuf.{match[1]}_pb2")
    except ImportError:
        return None
    return FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
