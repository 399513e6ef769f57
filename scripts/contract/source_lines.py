"""On which line of a .proto file a change is, as protoc knows it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet

# Field numbers of descriptor.proto: places of declarations in a file or a message, and of what they hold.
_IN_FILE = {"message_type": 4, "enum_type": 5}
_IN_MESSAGE = {"nested_type": 3, "enum_type": 4}
_FIELD, _ONEOF, _VALUE = 2, 8, 2

Place = tuple[int, ...]


def lines(root: Path, file: str) -> dict[str, int]:
    """The lines of a file's declarations by the paths that changes name, such as ``#/LoginFailed/3``.

    Fields and values are named by number, those of a oneof also below it.

    Args:
        root: the folder that import paths begin at.
        file: the file's import path.
    """
    with tempfile.TemporaryDirectory(prefix="auth-events-lines-") as folder:
        found = Path(folder) / "file.binpb"
        arguments = [f"-I{root}", f"--descriptor_set_out={found}", "--include_source_info", file]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True)
        (compiled,) = FileDescriptorSet.FromString(found.read_bytes()).file
    spans = {tuple(place.path): place.span[0] + 1 for place in compiled.source_code_info.location}
    return {"#/": 1, **{path: spans[place] for path, place in _declared(compiled, "#", (), _IN_FILE)}}


def line_of(path: str, known: Mapping[str, int]) -> int:
    """The line of a path, or of what surrounds it if it is no longer there."""
    while path not in known and "/" in path:
        path = path.rpartition("/")[0]
    return known.get(path, 1)


def _declared(scope: Any, path: str, at: Place, kinds: Mapping[str, int]) -> Iterator[tuple[str, Place]]:
    """Every declaration in a file or a message: its path, and its place in the descriptor."""
    messages, enums = kinds
    for index, message in enumerate(getattr(scope, messages)):
        if not message.options.map_entry:
            yield from _in_message(message, f"{path}/{message.name}", (*at, kinds[messages], index))
    for index, enum in enumerate(getattr(scope, enums)):
        here, place = f"{path}/{enum.name}", (*at, kinds[enums], index)
        yield here, place
        yield from ((f"{here}/{value.number}", (*place, _VALUE, n)) for n, value in enumerate(enum.value))


def _in_message(message: Any, path: str, at: Place) -> Iterator[tuple[str, Place]]:
    yield path, at
    oneofs = [oneof.name for oneof in message.oneof_decl]
    for index, field in enumerate(message.field):
        yield f"{path}/{field.number}", (*at, _FIELD, index)
        if field.HasField("oneof_index") and not field.proto3_optional:
            yield f"{path}/{oneofs[field.oneof_index]}", (*at, _ONEOF, field.oneof_index)
            yield f"{path}/{oneofs[field.oneof_index]}/{field.number}", (*at, _FIELD, index)
    yield from _declared(message, path, at, _IN_MESSAGE)
