"""FileDescriptorProto in a pool of its own, stricter than the one that everybody shares."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import Edition, FeatureSet
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F
from google.protobuf.message import DecodeError, EncodeError

from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto


def plain_copy(file: FileDescriptorProto) -> FileDescriptorProto:
    """A copy in which no custom option is known, whatever modules the process has imported.

    Raises:
        InvalidSchema: the descriptor is damaged; strings that are not UTF-8 count as damage.
    """
    try:
        return _plain_class().FromString(file.SerializePartialToString())
    except (DecodeError, EncodeError) as error:
        raise InvalidSchema(f"a descriptor is damaged: {error}") from error


@cache
def _plain_class() -> type[FileDescriptorProto]:
    file = descriptor_pb2.FileDescriptorProto.FromString(descriptor_pb2.DESCRIPTOR.serialized_pb)
    _verify_strings(file)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    descriptor = pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto")
    return cast("type[FileDescriptorProto]", message_factory.GetMessageClass(descriptor))


def _verify_strings(file: FileDescriptorProto) -> None:
    """Turn descriptor.proto from proto2, which takes any bytes for text, into an edition, which does not."""
    file.syntax = "editions"
    file.edition = Edition.EDITION_2023
    features = file.options.features
    features.utf8_validation = FeatureSet.VERIFY
    features.enum_type = FeatureSet.CLOSED
    features.repeated_field_encoding = FeatureSet.EXPANDED
    waiting: list[DescriptorProto] = [*file.message_type]
    while waiting:
        message = waiting.pop()
        waiting += message.nested_type
        for field in message.field:
            field.options.ClearField("packed")
            if field.label == F.LABEL_REQUIRED:
                field.label = F.LABEL_OPTIONAL
