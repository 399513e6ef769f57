"""Messages, fields and enums in the one form that identity compares."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.protofile._layout import field_units
from immersiverse.auth.events.protofile._literals import format_double, format_single
from immersiverse.auth.events.protofile._names import json_name
from immersiverse.auth.events.protofile._types import FLOATING_TYPES

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto

    from immersiverse.auth.events.protofile._canonical_options import OptionNormalizer


def normalize_message(message: DescriptorProto, options: OptionNormalizer) -> None:
    """Change a message in place, with all that it holds."""
    options.normalize(message)
    _gather_oneofs(message)
    _forget_synthetic_names(message)
    for field in message.field:
        _normalize_field(field, options)
    for extension in message.extension:
        normalize_extension(extension, options)
    for nested in message.nested_type:
        normalize_message(nested, options)
    for enum in message.enum_type:
        normalize_enum(enum, options)
    for oneof in message.oneof_decl:
        options.normalize(oneof)
    for extension_range in message.extension_range:
        extension_range.options.ClearField("declaration")
        extension_range.options.ClearField("verification")
        options.normalize(extension_range)
    message.extension_range.sort(key=lambda item: item.start)
    message.reserved_range.sort(key=lambda item: item.start)
    message.reserved_name.sort()


def normalize_extension(extension: F, options: OptionNormalizer) -> None:
    """Change an extension in place; its JSON name cannot be chosen."""
    extension.ClearField("json_name")
    _normalize_field(extension, options)


def normalize_enum(enum: EnumDescriptorProto, options: OptionNormalizer) -> None:
    """Change an enum in place, with its values."""
    options.normalize(enum)
    for value in enum.value:
        options.normalize(value)
    enum.reserved_range.sort(key=lambda item: item.start)
    enum.reserved_name.sort()


def _normalize_field(field: F, options: OptionNormalizer) -> None:
    options.normalize(field)
    if not field.HasField("label"):
        field.label = F.LABEL_OPTIONAL
    if field.HasField("json_name") and field.json_name == json_name(field.name):
        field.ClearField("json_name")
    if field.type in FLOATING_TYPES and field.HasField("default_value"):
        with suppress(ValueError):
            value = float(field.default_value)
            field.default_value = format_single(value) if field.type == F.TYPE_FLOAT else format_double(value)


def _forget_synthetic_names(message: DescriptorProto) -> None:
    for field in message.field:
        if field.proto3_optional and field.oneof_index < len(message.oneof_decl):
            message.oneof_decl[field.oneof_index].ClearField("name")


def _gather_oneofs(message: DescriptorProto) -> None:
    """A oneof's fields side by side, and oneofs in the order of their first fields."""
    if not message.oneof_decl:
        return
    units = field_units(message.field, frozenset())
    written = [unit.oneof for unit in units if unit.oneof is not None]
    synthetic = [field.oneof_index for field in message.field if field.proto3_optional]
    order = [*written, *synthetic]
    fields = [field for unit in units for field in unit.fields]
    if order != list(range(len(message.oneof_decl))) or fields != list(message.field):
        _reorder(message, fields, order)


def _reorder(message: DescriptorProto, fields: list[F], order: list[int]) -> None:
    copies = [F.FromString(field.SerializePartialToString()) for field in fields]
    places = {old: new for new, old in enumerate(order)}
    oneofs = [
        message.oneof_decl[old].SerializePartialToString() for old in order if old < len(message.oneof_decl)
    ]
    del message.field[:]
    del message.oneof_decl[:]
    for copy in copies:
        if copy.HasField("oneof_index"):
            copy.oneof_index = places[copy.oneof_index]
        message.field.add().MergeFromString(copy.SerializePartialToString())
    for oneof in oneofs:
        message.oneof_decl.add().MergeFromString(oneof)
