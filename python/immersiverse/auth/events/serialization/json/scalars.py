"""Scalars to JSON and back by proto3's mapping.

Source: the Protobuf JSON mapping (protobuf.dev, "ProtoJSON Format").
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from immersiverse.auth.events.descriptors import scalar_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    Convert = Callable[[Any], Any]

INT32_LIMITS = (-(1 << 31), (1 << 31) - 1)
_FLOAT = struct.Struct("<f")
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_EXACT = 1 << 53  # up to here every whole number is a float
_LONGEST_INTEGER = 20  # characters of 64 bits, with a sign
_FLOAT_DIGITS = (6, 7, 8, 9)  # 9 are enough for every 32-bit float (IEEE 754)


def scalar_writer(field: FieldDescriptor) -> Convert | None:
    """What turns a scalar of a field's type into JSON; None if it is JSON as it stands."""
    return _WRITERS.get(scalar_kind(field))


def scalar_reader(field: FieldDescriptor) -> Convert:
    """What turns JSON into a scalar of a field's type; it raises ValueError with what the JSON should be."""
    return _READERS[scalar_kind(field)]


def is_negative_zero(value: float) -> bool:
    """Whether a number is -0.0, which is false and yet not a default."""
    return value == 0 and math.copysign(1, value) < 0


def read_string(value: Any) -> str:
    """A JSON string. Raises ValueError for anything else."""
    if type(value) is str:
        return value
    raise ValueError(f"is {kind(value)}, not a string")


def read_integer_text(text: str, limits: tuple[int, int]) -> int:
    """The whole number in a text, in digits or with an exponent.

    It raises ValueError if the text is not one within the limits.
    """
    if len(text) <= _LONGEST_INTEGER and _NUMBER.fullmatch(text):
        number = Decimal(text)  # a float has 53 bits
        if limits[0] <= number <= limits[1] and number == int(number):
            return int(number)
    raise ValueError(f"is not a whole number from {limits[0]} to {limits[1]}")


def integer_reader(limits: tuple[int, int]) -> Convert:
    """A reader of whole numbers within limits, written as a number or as digits in a string."""
    low, high = limits

    def read(value: Any) -> int:
        if type(value) is int and low <= value <= high:
            return value
        if type(value) is float and value.is_integer() and low <= value <= high:
            if abs(value) > _EXACT:
                raise ValueError("has more digits than its form keeps: write it in digits alone")
            return int(value)
        if type(value) is str:
            return read_integer_text(value, limits)
        if type(value) in (int, float):
            raise ValueError(f"is not a whole number from {low} to {high}")
        raise ValueError(f"is {kind(value)}, not a whole number")

    return read


def kind(value: Any) -> str:
    """What a JSON value is, in JSON's words."""
    return _KINDS.get(type(value), "null")


_KINDS = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def _read_bool(value: Any) -> bool:
    if value is True or value is False:
        return value
    raise ValueError(f"is {kind(value)}, not true or false")


def _write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _read_bytes(value: Any) -> bytes:
    text = read_string(value).replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is not base64") from error


def _write_double(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _write_float(value: float) -> float | str:
    """The shortest number that is the same in 32 bits."""
    if not math.isfinite(value):
        return _write_double(value)
    short = (float(f"{value:.{digits}g}") for digits in _FLOAT_DIGITS)
    return next(number for number in short if _in_32_bits(number) == value)


def _in_32_bits(value: float) -> float:
    try:
        rounded: float = _FLOAT.unpack(_FLOAT.pack(value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def _read_double(value: Any) -> float:
    if type(value) in (int, float):
        return float(value)
    if type(value) is str:
        return _NON_FINITE[value] if value in _NON_FINITE else _finite_text(value)
    raise ValueError(f"is {kind(value)}, not a number")


def _finite_text(text: str) -> float:
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise ValueError("is not a number in a double's range")
    return number


def _read_float(value: Any) -> float:
    number = _read_double(value)
    if math.isfinite(number) and not math.isfinite(_in_32_bits(number)):
        raise ValueError("is not a number in a float's range")
    return number


_WRITERS: dict[int, Convert] = {
    FieldDescriptor.CPPTYPE_INT64: str,
    FieldDescriptor.CPPTYPE_UINT64: str,
    FieldDescriptor.CPPTYPE_DOUBLE: _write_double,
    FieldDescriptor.CPPTYPE_FLOAT: _write_float,
    FieldDescriptor.TYPE_BYTES: _write_bytes,
}

_READERS: dict[int, Convert] = {
    FieldDescriptor.CPPTYPE_BOOL: _read_bool,
    FieldDescriptor.CPPTYPE_DOUBLE: _read_double,
    FieldDescriptor.CPPTYPE_FLOAT: _read_float,
    FieldDescriptor.CPPTYPE_INT32: integer_reader(INT32_LIMITS),
    FieldDescriptor.CPPTYPE_INT64: integer_reader((-(1 << 63), (1 << 63) - 1)),
    FieldDescriptor.CPPTYPE_STRING: read_string,
    FieldDescriptor.CPPTYPE_UINT32: integer_reader((0, (1 << 32) - 1)),
    FieldDescriptor.CPPTYPE_UINT64: integer_reader((0, (1 << 64) - 1)),
    FieldDescriptor.TYPE_BYTES: _read_bytes,
}
