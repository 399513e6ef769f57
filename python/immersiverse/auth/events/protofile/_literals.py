"""Strings, bytes and numbers as .proto text writes them."""

from __future__ import annotations

import math
import re
import string
import struct

_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|[xX](?P<hex>[0-9a-fA-F]{1,2})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<letter>[abfnrtv\\'\"?])|(?P<bad>.))",
    re.DOTALL,
)
_LETTERS = {
    "a": b"\a", "b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", "v": b"\v",
    "\\": b"\\", "'": b"'", '"': b'"', "?": b"?",
}  # fmt: skip
_NAMED = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x22: '\\"', 0x27: "\\'", 0x5C: "\\\\"}
_PRINTABLE = frozenset(string.printable) - frozenset(string.whitespace) | {" "}
_ESCAPED = [
    _NAMED.get(byte) or (chr(byte) if chr(byte) in _PRINTABLE else f"\\{byte:03o}") for byte in range(256)
]
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\"\\]")
_LONGEST_INTEGER = 32
_SMALLEST_NORMAL = 2.0**-126


def unquote(literal: str) -> bytes:
    """The bytes of one string literal with its quotes.

    Raises:
        ValueError: an escape that does not exist, or a character that UTF-8 cannot hold.
    """
    body = literal[1:-1]
    if "\\" not in body:
        return body.encode()
    parts: list[bytes] = []
    position = 0
    for match in _ESCAPE.finditer(body):
        parts += (body[position : match.start()].encode(), _unescape(match))
        position = match.end()
    return b"".join(parts) + body[position:].encode()


def _unescape(match: re.Match[str]) -> bytes:
    kind, text = match.lastgroup, match[match.lastgroup or 0]
    if kind == "letter":
        return _LETTERS[text]
    if kind == "octal":
        code = int(text, 8)
    elif kind in {"hex", "short", "long"}:
        code = int(text, 16)
    else:
        raise ValueError(f"there is no escape \\{text}")
    if kind in {"short", "long"}:
        return _character(code).encode()
    # protoc lets an octal escape past a byte wrap around.
    return bytes((code & 0xFF,))


def _character(code: int) -> str:
    try:
        return chr(code)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"there is no character {code:x}") from error


def escape(data: bytes) -> str:
    """Bytes as ASCII with C escapes: the form of a ``bytes`` field's default in a descriptor."""
    return "".join(_ESCAPED[byte] for byte in data)


def quote_bytes(data: bytes) -> str:
    """A string literal of ASCII characters only."""
    return f'"{escape(data)}"'


def quote(text: str) -> str:
    """A string literal that keeps the letters of every script as they are."""
    return f'"{_UNPRINTABLE.sub(lambda match: escape(match[0].encode()), text)}"'


def integer(literal: str) -> int | None:
    """The value of a decimal, octal or hexadecimal literal; None if it is none or absurdly long."""
    digits = literal.lstrip("0") or "0"
    if len(digits) > _LONGEST_INTEGER:
        return None
    if literal[:2] in {"0x", "0X"}:
        return int(literal, 16)
    if len(literal) > 1 and literal[0] == "0":
        return int(digits, 8) if not set(digits) & {"8", "9"} else None
    return int(digits)


def to_single(value: float) -> float:
    """The nearest 32-bit float; infinity past its range."""
    try:
        single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return single


def format_double(value: float) -> str:
    """A double as protoc writes it in a descriptor's ``default_value``."""
    if not math.isfinite(value):
        return _format_special(value)
    short = f"{value:.15g}"
    return short if float(short) == value else f"{value:.17g}"


def format_single(value: float) -> str:
    """A 32-bit float as protoc writes it in a descriptor's ``default_value``."""
    single = to_single(value)
    if not math.isfinite(single):
        return _format_special(single)
    short = f"{single:.6g}"
    # protoc trusts no short form of a subnormal number.
    exact = to_single(float(short)) == single and not 0 < abs(single) < _SMALLEST_NORMAL
    return short if exact else f"{single:.9g}"


def number_text(value: float, *, single: bool) -> str:
    """A floating-point number so that it is read back exactly, and by readers that know no plus sign."""
    if not math.isfinite(value):
        return _format_special(value)
    text = format_single(value) if single else repr(value)
    # Without a point, minus zero would be read as the integer 0.
    return f"{text}.0" if text.lstrip("-").isdigit() else text.replace("e+", "e")


def _format_special(value: float) -> str:
    if math.isnan(value):
        return "nan"
    return "inf" if value > 0 else "-inf"
