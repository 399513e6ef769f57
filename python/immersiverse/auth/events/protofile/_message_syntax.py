"""The grammar of messages, oneofs and extend blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import DescriptorProto

from immersiverse.auth.events.protofile._draft import INT32_MAX, MAX_FIELD_NUMBER, OptionBlock
from immersiverse.auth.events.protofile._enum_syntax import read_enum, read_range, read_reserved_names
from immersiverse.auth.events.protofile._field_syntax import read_field
from immersiverse.auth.events.protofile._names import join, synthetic_oneof_names
from immersiverse.auth.events.protofile._option_syntax import read_bracketed, read_option_statement
from immersiverse.auth.events.protofile._place import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._draft import Draft

# protoc's own limit.
_DEEPEST_MESSAGE = 32


def read_message(cursor: Cursor, draft: Draft, message: DescriptorProto, scope: str, depth: int) -> None:
    """``message Name { ... }``, whose first word is at hand."""
    cursor.expect("message")
    message.name = cursor.identifier("the name of the message")
    draft.declare(cursor, join(scope, message.name))
    _read_body(cursor, draft, message, scope, depth)


def _read_body(cursor: Cursor, draft: Draft, message: DescriptorProto, scope: str, depth: int) -> None:
    if depth > _DEEPEST_MESSAGE:
        cursor.fail(f"expected messages nested at most {_DEEPEST_MESSAGE} deep")
    full_name = join(scope, message.name)
    place = Place(message.field, message.nested_type, full_name, depth, _read_body)
    first_block = len(draft.blocks)
    cursor.expect("{")
    while not cursor.accept("}"):
        _read_statement(cursor, draft, message, place, scope)
    _finish_oneofs(message)
    _finish_ranges(message, draft.blocks[first_block:])


def _read_statement(cursor: Cursor, draft: Draft, message: DescriptorProto, place: Place, scope: str) -> None:
    match cursor.text:
        case ";":
            cursor.take()
        case "message":
            read_message(cursor, draft, message.nested_type.add(), place.scope, place.depth + 1)
        case "enum":
            read_enum(cursor, draft, message.enum_type.add(), place.scope)
        case "oneof":
            _read_oneof(cursor, draft, message, place)
        case "extend":
            read_extend(cursor, draft, message, place.scope, place.depth)
        case "option":
            read_option_statement(cursor, draft, message, scope)
        case "extensions":
            _read_extension_ranges(cursor, draft, message, scope)
        case "reserved":
            _read_reserved(cursor, draft, message)
        case _:
            read_field(cursor, draft, place)


def _read_oneof(cursor: Cursor, draft: Draft, message: DescriptorProto, place: Place) -> None:
    cursor.expect("oneof")
    inside = place.within_oneof(len(message.oneof_decl))
    oneof = message.oneof_decl.add(name=cursor.identifier("the name of the oneof"))
    draft.declare(cursor, join(place.scope, oneof.name))
    cursor.expect("{")
    fields_before = len(message.field)
    while not cursor.accept("}"):
        if cursor.text == "option":
            read_option_statement(cursor, draft, oneof, place.scope)
        else:
            read_field(cursor, draft, inside)
    if len(message.field) == fields_before:
        cursor.fail(f"expected oneof {oneof.name} to have a field")


def read_extend(
    cursor: Cursor, draft: Draft, owner: FileDescriptorProto | DescriptorProto, scope: str, depth: int
) -> None:
    """``extend Name { ... }``, whose first word is at hand."""
    nested = owner.nested_type if isinstance(owner, DescriptorProto) else owner.message_type
    cursor.expect("extend")
    offset = cursor.offset
    extendee = cursor.type_name("the name of the extended message")
    place = Place(owner.extension, nested, scope, depth, _read_body, extendee=(extendee, offset))
    cursor.expect("{")
    while not cursor.accept("}"):
        if not cursor.accept(";"):
            read_field(cursor, draft, place)


def _read_extension_ranges(cursor: Cursor, draft: Draft, message: DescriptorProto, scope: str) -> None:
    cursor.expect("extensions")
    first = len(message.extension_range)
    while True:
        start, end = _read_number_range(cursor)
        message.extension_range.add(start=start, end=end)
        if not cursor.accept(","):
            break
    options = read_bracketed(cursor)
    if options:
        draft.blocks += [OptionBlock(r, scope, options) for r in message.extension_range[first:]]
    cursor.expect(";")


def _read_reserved(cursor: Cursor, draft: Draft, message: DescriptorProto) -> None:
    cursor.expect("reserved")
    if read_reserved_names(cursor, draft, message):
        return
    while True:
        start, end = _read_number_range(cursor)
        message.reserved_range.add(start=start, end=end)
        if not cursor.accept(","):
            break
    cursor.expect(";")


def _read_number_range(cursor: Cursor) -> tuple[int, int]:
    start, end = read_range(cursor, 1, INT32_MAX - 1)
    # A range up to the limit ends where the message's wire format says, which is not known yet.
    return start, end if end == INT32_MAX - 1 else end + 1


def _finish_ranges(message: DescriptorProto, blocks: Iterable[OptionBlock]) -> None:
    limit = INT32_MAX if _is_message_set(message, blocks) else MAX_FIELD_NUMBER + 1
    for extension_range in message.extension_range:
        if extension_range.end == INT32_MAX - 1:
            extension_range.end = limit
    for reserved_range in message.reserved_range:
        if reserved_range.end == INT32_MAX - 1:
            reserved_range.end = limit


def _is_message_set(message: DescriptorProto, blocks: Iterable[OptionBlock]) -> bool:
    return any(
        option.path[0].name == "message_set_wire_format" and getattr(option.value, "text", "") == "true"
        for block in blocks
        if block.element is message
        for option in block.options
    )


def _finish_oneofs(message: DescriptorProto) -> None:
    """proto3 ``optional`` fields are oneofs of one field in a descriptor, after all the written ones."""
    optional = [field for field in message.field if field.proto3_optional]
    if not optional:
        return
    taken = {field.name for field in message.field} | {oneof.name for oneof in message.oneof_decl}
    for field, name in zip(optional, synthetic_oneof_names([f.name for f in optional], taken), strict=True):
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=name)
