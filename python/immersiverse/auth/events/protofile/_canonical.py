"""What makes two descriptors the same schema."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, EncodeError

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile._canonical_message import (
    normalize_enum,
    normalize_extension,
    normalize_message,
)
from immersiverse.auth.events.protofile._canonical_options import OptionNormalizer
from immersiverse.auth.events.protofile._dependencies import definitions
from immersiverse.auth.events.protofile._schema import Schema
from immersiverse.auth.events.protofile._wire import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor_pb2 import FileDescriptorProto


def canonical(file: FileDescriptorProto, *, extensions: Iterable[FileDescriptorProto] = ()) -> bytes:
    """The identity of a schema: equal bytes if and only if two descriptors say the same.

    Passed over are the file's name, source information, JSON names that follow from the field's, whether
    proto2 is said or implied, the order of imports and of reserved and extension ranges, empty options,
    declarations of extension ranges (protoc keeps them out of descriptors as well), the place of a oneof's
    fields among others, and which custom options the process happens to have imported. The order of
    messages is not passed over: frames carry indexes into it.

    Args:
        file: the descriptor; it is not changed.
        extensions: the files that define its custom options, if an option that was set in several
            statements is to equal the same set in one. Give them always or never.

    Returns:
        A serialized FileDescriptorProto, to be compared or hashed.

    Raises:
        InvalidSchema: the descriptor is damaged.
    """
    try:
        plain = _plain_copy(file)
        _normalize_file(plain, OptionNormalizer(Schema(definitions(plain, extensions))))
        data: bytes = plain.SerializePartialToString(deterministic=True)
    except (DecodeError, EncodeError, UnicodeDecodeError, Malformed) as error:
        raise InvalidSchema(f"{file.name!r} is a damaged descriptor: {error}") from error
    return data


@cache
def _plain_class() -> type[FileDescriptorProto]:
    """FileDescriptorProto in a pool without extensions, so that imported modules make no difference."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
    descriptor = pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto")
    return cast("type[FileDescriptorProto]", message_factory.GetMessageClass(descriptor))


def _plain_copy(file: FileDescriptorProto) -> FileDescriptorProto:
    return _plain_class().FromString(file.SerializePartialToString())


def _normalize_file(file: FileDescriptorProto, options: OptionNormalizer) -> None:
    file.ClearField("name")
    file.ClearField("source_code_info")
    if file.syntax == "proto2":
        file.ClearField("syntax")
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
            options.normalize(method)


def _sort_imports(file: FileDescriptorProto) -> None:
    public = {file.dependency[index] for index in file.public_dependency}
    weak = {file.dependency[index] for index in file.weak_dependency}
    paths = sorted(file.dependency)
    file.dependency[:] = paths
    file.public_dependency[:] = [index for index, path in enumerate(paths) if path in public]
    file.weak_dependency[:] = [index for index, path in enumerate(paths) if path in weak]
