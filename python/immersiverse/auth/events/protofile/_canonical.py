"""What makes two descriptors the same schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile._canonical_message import (
    normalize_enum,
    normalize_extension,
    normalize_message,
)
from immersiverse.auth.events.protofile._canonical_options import OptionNormalizer
from immersiverse.auth.events.protofile._dependencies import definitions
from immersiverse.auth.events.protofile._plain import plain_copy
from immersiverse.auth.events.protofile._schema import Schema
from immersiverse.auth.events.protofile._wire import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto


def canonical(file: FileDescriptorProto, *, extensions: Iterable[FileDescriptorProto] = ()) -> bytes:
    """The identity of a schema: equal bytes if and only if two descriptors say the same.

    Passed over are the file's name, source information, JSON names that follow from the field's, whether
    proto2 is said or implied, the order of imports and of reserved and extension ranges, empty options,
    declarations of extension ranges (protoc keeps them out of descriptors as well), the place of a oneof's
    fields among others, the names of oneofs that stand for proto3 ``optional``, and which custom options
    the process happens to have imported. The order of messages counts: frames carry indexes into it.

    Args:
        file: the descriptor; it is not changed.
        extensions: the files that define its custom options, if an option that was set in several
            statements is to equal the same set in one. Give them always or never.

    Returns:
        A serialized FileDescriptorProto, to be compared or hashed.

    Raises:
        InvalidSchema: the descriptor is damaged.
    """
    plain = plain_copy(file)
    try:
        _normalize_file(plain, OptionNormalizer(Schema(definitions(plain, extensions))))
    except Malformed as error:
        raise InvalidSchema(f"an option of {file.name or 'a descriptor'} cannot be read: {error}") from error
    return plain.SerializePartialToString(deterministic=True)


def _normalize_file(file: FileDescriptorProto, options: OptionNormalizer) -> None:
    file.ClearField("name")
    file.ClearField("source_code_info")
    if file.syntax == "proto2":
        file.ClearField("syntax")
    if not file.package:
        file.ClearField("package")
    _sort_imports(file)
    options.normalize(file)
    for message in file.message_type:
        normalize_message(message, options)
    for extension in file.extension:
        normalize_extension(extension, options)
    for enum in file.enum_type:
        normalize_enum(enum, options)
    for service in file.service:
        options.normalize(service)
        for method in service.method:
            _normalize_method(method, options)


def _sort_imports(file: FileDescriptorProto) -> None:
    count = len(file.dependency)
    if any(not 0 <= index < count for index in (*file.public_dependency, *file.weak_dependency)):
        raise InvalidSchema(f"{file.name or 'a descriptor'} marks an import that it does not have")
    public = {file.dependency[index] for index in file.public_dependency}
    weak = {file.dependency[index] for index in file.weak_dependency}
    paths = sorted(file.dependency)
    file.dependency[:] = paths
    file.public_dependency[:] = [index for index, path in enumerate(paths) if path in public]
    file.weak_dependency[:] = [index for index, path in enumerate(paths) if path in weak]


def _normalize_method(method: MethodDescriptorProto, options: OptionNormalizer) -> None:
    options.normalize(method)
    if not method.client_streaming:
        method.ClearField("client_streaming")
    if not method.server_streaming:
        method.ClearField("server_streaming")
