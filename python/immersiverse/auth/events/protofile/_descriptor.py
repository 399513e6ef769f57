"""Descriptors as registries hand them over."""

from __future__ import annotations

import base64
import binascii

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile._plain import plain_copy


def parse_descriptor(data: str | bytes) -> FileDescriptorProto:
    """A descriptor from its bytes, or from their base64 text, the form of ``format=serialized``.

    Raises:
        InvalidSchema: this is no serialized FileDescriptorProto.
    """
    serialized = _unpacked(data) if isinstance(data, str) else data
    try:
        file = FileDescriptorProto.FromString(serialized)
    except DecodeError as error:
        raise InvalidSchema("these bytes are no file descriptor") from error
    # Much else parses as some message: text, a descriptor set, nothing at all.
    plain_copy(file)
    if not file.ListFields() or len(UnknownFieldSet(file)) or not file.name.isprintable():
        raise InvalidSchema("these bytes are no file descriptor")
    return file


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidSchema("this text is no base64") from error
