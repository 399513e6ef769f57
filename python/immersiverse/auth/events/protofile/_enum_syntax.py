"""The grammar of enums, and of reserved numbers and names wherever they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.protofile._draft import INT32_MAX, OptionBlock
from immersiverse.auth.events.protofile._names import join
from immersiverse.auth.events.protofile._option_syntax import read_bracketed, read_option_statement

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto

    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._draft import Draft

_INT32_MIN = -(2**31)


def read_enum(cursor: Cursor, draft: Draft, enum: EnumDescriptorProto, scope: str) -> None:
    """``enum Name { ... }``, whose first word is at hand."""
    cursor.expect("enum")
    enum.name = cursor.identifier("the name of the enum")
    draft.declare(cursor, join(scope, enum.name))
    cursor.expect("{")
    while not cursor.accept("}"):
        if cursor.text == "option":
            read_option_statement(cursor, draft, enum, scope)
        elif cursor.text == "reserved":
            _read_enum_reserved(cursor, draft, enum)
        elif not cursor.accept(";"):
            _read_value(cursor, draft, enum, scope)
    if not enum.value:
        cursor.fail(f"expected enum {enum.name} to have a value")


def _read_value(cursor: Cursor, draft: Draft, enum: EnumDescriptorProto, scope: str) -> None:
    value = enum.value.add()
    value.name = cursor.identifier("the name of a value")
    draft.declare(cursor, join(scope, value.name))
    cursor.expect("=")
    value.number = cursor.integer("a number", _INT32_MIN, INT32_MAX)
    options = read_bracketed(cursor)
    if options:
        draft.blocks.append(OptionBlock(value, scope, options))
    cursor.expect(";")


def _read_enum_reserved(cursor: Cursor, draft: Draft, enum: EnumDescriptorProto) -> None:
    cursor.expect("reserved")
    if read_reserved_names(cursor, draft, enum):
        return
    while True:
        start, end = read_range(cursor, _INT32_MIN, INT32_MAX)
        enum.reserved_range.add(start=start, end=end)
        if not cursor.accept(","):
            break
    cursor.expect(";")


def read_reserved_names(cursor: Cursor, draft: Draft, owner: EnumDescriptorProto | DescriptorProto) -> bool:
    """The names after ``reserved`` up to the semicolon; False, and nothing read, if numbers are at hand."""
    if cursor.kind not in {"string", "name"}:
        return False
    while True:
        if draft.syntax == "editions":
            owner.reserved_name.append(cursor.identifier("a reserved name without quotes"))
        else:
            owner.reserved_name.append(cursor.text_string("a reserved name in quotes"))
        if not cursor.accept(","):
            break
    cursor.expect(";")
    return True


def read_range(cursor: Cursor, low: int, high: int) -> tuple[int, int]:
    """``N``, ``N to M`` or ``N to max``: first and last number; ``max`` is the highest allowed."""
    offset = cursor.offset
    start = end = cursor.integer("a number", low, high)
    if cursor.accept("to"):
        end = high if cursor.accept("max") else cursor.integer("a number or max", low, high)
    if end < start:
        cursor.fail("expected a range to end after its beginning", offset)
    return start, end
