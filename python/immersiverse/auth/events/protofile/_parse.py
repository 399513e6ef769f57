"""From the text of a .proto file to its descriptor."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from immersiverse.auth.events.protofile._cursor import Cursor
from immersiverse.auth.events.protofile._dependencies import Dependencies
from immersiverse.auth.events.protofile._draft import Draft
from immersiverse.auth.events.protofile._file_syntax import read_file
from immersiverse.auth.events.protofile._link import link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

_NONE: Mapping[str, FileDescriptorProto] = MappingProxyType({})


def parse_file(
    text: str, *, name: str = "", dependencies: Mapping[str, FileDescriptorProto] = _NONE
) -> FileDescriptorProto:
    """The descriptor that protoc makes of a .proto file's text, without source information.

    proto2, proto3 and edition 2023 are read. An import that is not given is no error as long as nothing is
    needed of it. Custom options whose definitions are seen become extensions of the option messages: known
    ones if the default pool has them, else unknown fields, as in any descriptor that was read from bytes.

    Args:
        text: the whole file.
        name: its import path; it goes into the descriptor and into error messages.
        dependencies: the files it imports, and those that they import, by import path. The
            google/protobuf files that the runtime ships need not be given.

    Raises:
        InvalidSchema: the text is not a valid file, or needs one that is not given. The message begins
            with name, line and column and says what was expected.
    """
    cursor = Cursor(text, name)
    draft = Draft()
    if name:
        draft.file.name = name
    read_file(cursor, draft)
    link(cursor, draft, Dependencies(dependencies))
    if draft.file.syntax == "proto2":
        draft.file.ClearField("syntax")
    return draft.file
