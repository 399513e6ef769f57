"""Enums, and what enums and messages have in common, as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile._draft import INT32_MAX
from immersiverse.auth.events.protofile._literals import quote
from immersiverse.auth.events.protofile._print_field import bracketed, identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from google.protobuf.descriptor_pb2 import EnumDescriptorProto

    from immersiverse.auth.events.protofile._print_options import OptionPrinter


def enum_lines(options: OptionPrinter, enum: EnumDescriptorProto, scope: str, syntax: str) -> Iterator[str]:
    """A whole enum.

    Raises:
        InvalidSchema: something that no text can say.
    """
    if not enum.value:
        raise InvalidSchema(f"enum {enum.name} has no value")
    yield f"enum {identifier(enum.name)} {{"
    yield from indented(statements(options.of(enum, scope)))
    for value in enum.value:
        settings = bracketed(options.of(value, scope))
        yield from indented([f"{identifier(value.name)} = {value.number}{settings};"])
    ranges = [range_text(item.start, item.end, INT32_MAX) for item in enum.reserved_range]
    yield from indented(reserved_lines(ranges, enum.reserved_name, syntax))
    yield "}"


def reserved_lines(ranges: Sequence[str], names: Sequence[str], syntax: str) -> Iterator[str]:
    """What is reserved, numbers before names."""
    if ranges:
        yield f"reserved {', '.join(ranges)};"
    if names:
        write = identifier if syntax == "editions" else quote
        yield f"reserved {', '.join(write(name) for name in names)};"


def range_text(first: int, last: int, limit: int) -> str:
    """A range of numbers, both ends included; ``limit`` is what ``max`` means."""
    if first == last:
        return str(first)
    return f"{first} to {'max' if last == limit else last}"


def statements(options: Iterable[str]) -> Iterator[str]:
    """Options as statements of a body."""
    return (f"option {option};" for option in options)


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Lines one level deeper."""
    return (f"  {line}" for line in lines)
