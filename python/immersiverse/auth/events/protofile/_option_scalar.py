"""Single values of options, by the type of their field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.protofile._default_syntax import number
from immersiverse.auth.events.protofile._draft import INT32_MAX
from immersiverse.auth.events.protofile._literals import integer, to_single
from immersiverse.auth.events.protofile._types import FLOATING_TYPES, INTEGER_RANGES

if TYPE_CHECKING:
    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._draft import Scalar
    from immersiverse.auth.events.protofile._scalar_wire import ScalarValue
    from immersiverse.auth.events.protofile._schema import Field, Schema

_TRUE, _FALSE = frozenset({"true", "True", "t", "1"}), frozenset({"false", "False", "f", "0"})
_SPECIAL = {"inf": "inf", "infinity": "inf", "nan": "nan"}


def scalar_value(
    cursor: Cursor, schema: Schema, field: Field, written: Scalar, *, in_braces: bool
) -> ScalarValue:
    """A written value as its field's type holds it; values in braces may be written more freely.

    Raises:
        InvalidSchema: the type has no such value.
    """
    value: ScalarValue | None
    if field.type in INTEGER_RANGES:
        value = _integer(written, *INTEGER_RANGES[field.type])
    elif field.type in FLOATING_TYPES:
        value = _floating(written, single=field.type == F.TYPE_FLOAT, in_braces=in_braces)
    elif field.type == F.TYPE_BOOL:
        value = _boolean(written, in_braces=in_braces)
    elif field.type == F.TYPE_ENUM:
        value = _enum(schema, field, written, in_braces=in_braces)
    elif field.type in {F.TYPE_STRING, F.TYPE_BYTES}:
        value = _string(written, is_text=field.type == F.TYPE_STRING)
    else:
        cursor.fail(f"expected a value of {field.name} in braces", written.offset)
    if value is None:
        cursor.fail(f"expected a value of {field.name}, which is {_describe(field)}", written.offset)
    return value


def _describe(field: Field) -> str:
    return field.type_name or F.Type.Name(F.Type.ValueType(field.type)).removeprefix("TYPE_").lower()


def _integer(written: Scalar, low: int, high: int) -> int | None:
    value = integer(written.text) if written.kind == "integer" else None
    if value is None:
        return None
    value = -value if written.negative else value
    return value if low <= value <= high else None


def _floating(written: Scalar, *, single: bool, in_braces: bool) -> float | None:
    if written.kind in {"integer", "float"}:
        value = number(written.text)
    elif written.kind == "name" and written.text.lower() in _SPECIAL:
        value = float(_SPECIAL[written.text.lower()])
    else:
        return None
    value = -value if written.negative else value
    if written.kind == "integer" and not in_braces:
        value += 0.0  # protoc takes it for an integer first, which has no minus zero
    return to_single(value) if single else value


def _boolean(written: Scalar, *, in_braces: bool) -> bool | None:
    if written.negative or (not in_braces and written.text not in {"true", "false"}):
        return None
    if written.text in _TRUE:
        return True
    return False if written.text in _FALSE else None


def _enum(schema: Schema, field: Field, written: Scalar, *, in_braces: bool) -> int | None:
    if written.kind == "integer" and in_braces:
        return _integer(written, -INT32_MAX - 1, INT32_MAX)
    if written.kind != "name" or written.negative:
        return None
    return schema.value_number(field.type_name, written.text)


def _string(written: Scalar, *, is_text: bool) -> bytes | None:
    if written.kind != "string":
        return None
    if is_text:
        try:
            written.data.decode()
        except UnicodeDecodeError:
            return None
    return written.data
