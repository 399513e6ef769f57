"""Bytes for eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 16


def hexdump(value: bytes) -> Iterator[str]:
    """Lines of sixteen bytes: the first's offset, all in hexadecimal, and those that are ASCII as text."""
    for start in range(0, len(value), _WIDTH):
        row = value[start : start + _WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)  # noqa: PLR2004 - printable ASCII
        yield f"{start:08x}  {row.hex(' '):<{_WIDTH * 3 - 1}}  {text}"
