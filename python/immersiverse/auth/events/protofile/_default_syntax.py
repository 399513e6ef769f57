"""The grammar of ``default = value``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.protofile._literals import escape, format_double, format_single
from immersiverse.auth.events.protofile._types import FLOATING_TYPES, INTEGER_RANGES

if TYPE_CHECKING:
    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._draft import Draft


def read_default(cursor: Cursor, draft: Draft, field: F) -> None:
    """A field's default, written into the field in the form that descriptors have."""
    if draft.syntax == "proto3":
        cursor.fail("expected no default in proto3")
    if field.HasField("default_value"):
        cursor.fail("expected one default")
    if field.label == F.LABEL_REPEATED or field.type == F.TYPE_GROUP:
        cursor.fail("expected no default on a repeated field or a message")
    cursor.expect("default")
    cursor.expect("=")
    field.default_value = _read_value(cursor, field)


def _read_value(cursor: Cursor, field: F) -> str:
    if not field.HasField("type"):
        # A name that is not resolved yet; that it is no message's is checked once it is.
        return cursor.identifier("the name of an enum's value")
    if field.type in INTEGER_RANGES:
        return str(cursor.integer("a whole number", *INTEGER_RANGES[field.type]))
    if field.type in FLOATING_TYPES:
        value = read_number(cursor)
        return format_single(value) if field.type == F.TYPE_FLOAT else format_double(value)
    if field.type == F.TYPE_BOOL:
        if cursor.text not in {"true", "false"}:
            cursor.unexpected("true or false")
        return cursor.take()
    if field.type == F.TYPE_STRING:
        return cursor.text_string("a string")
    return escape(cursor.string("a string of bytes"))


def read_number(cursor: Cursor) -> float:
    """A number of any kind, or inf or nan, with or without a minus sign."""
    sign = -1.0 if cursor.accept("-") else 1.0
    if cursor.kind in {"integer", "float"}:
        return sign * number(cursor.take())
    if cursor.text in {"inf", "nan"}:
        return sign * float(cursor.take())
    return cursor.unexpected("a number")


def number(literal: str) -> float:
    """The value of a number's literal as a double: decimal unless hexadecimal or octal."""
    if literal[:2] in {"0x", "0X"}:
        return _huge(literal, 16)
    if len(literal) > 1 and literal[0] == "0" and literal.isdigit() and not set(literal) & {"8", "9"}:
        return _huge(literal, 8)
    return float(literal)


def _huge(literal: str, base: int) -> float:
    try:
        return float(int(literal, base))
    except (ValueError, OverflowError):
        return float("inf")
