"""Numbers and names set aside, so that none comes back with another meaning."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from immersiverse.auth.events.compatibility.findings import Finding
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto

Range = tuple[int, int]


class Register(NamedTuple):
    """What a message or an enum uses and what it sets aside.

    Attributes:
        used: names by number; an enum's aliases count by the last.
        names: every name in use.
        numbers: ranges set aside, in order, apart from each other, both ends included.
        reserved_names: names set aside.
    """

    used: dict[int, str]
    names: frozenset[str]
    numbers: list[Range]
    reserved_names: frozenset[str]


def of_message(message: DescriptorProto) -> Register:
    """Read a message's register; its ranges are written with an exclusive end."""
    return Register(
        {field.number: field.name for field in message.field},
        frozenset(field.name for field in message.field),
        _merged((item.start, item.end - 1) for item in message.reserved_range),
        frozenset(message.reserved_name),
    )


def of_enum(enum: EnumDescriptorProto) -> Register:
    """Read an enum's register; its ranges are written with an inclusive end."""
    return Register(
        {value.number: value.name for value in enum.value},
        frozenset(value.name for value in enum.value),
        _merged((item.start, item.end) for item in enum.reserved_range),
        frozenset(enum.reserved_name),
    )


def compare(path: str, old: Register, new: Register) -> Iterator[Finding]:
    """Report what was removed without being set aside, and what was set aside and no longer is."""
    yield from _removed(path, old, new)
    yield from _reused(path, old, new)
    yield from _dropped(path, old, new)


def _removed(path: str, old: Register, new: Register) -> Iterator[Finding]:
    known = new.names | new.reserved_names
    for number, name in old.used.items():
        if number in new.used:
            continue
        if not _within(number, new.numbers):
            yield Finding(Kind.NUMBER_NOT_RESERVED, f"{path}/{number}", f"{name} = {number}")
        if name not in known:
            yield Finding(Kind.NAME_NOT_RESERVED, f"{path}/{number}", f"{name} = {number}")


def _reused(path: str, old: Register, new: Register) -> Iterator[Finding]:
    for number, name in new.used.items():
        if number not in old.used and _within(number, old.numbers):
            yield Finding(Kind.RESERVED_NUMBER_REUSED, f"{path}/{number}", "reserved", f"{name} = {number}")
        if name in old.reserved_names:
            yield Finding(Kind.RESERVED_NAME_REUSED, f"{path}/{number}", "reserved", f"{name} = {number}")


def _dropped(path: str, old: Register, new: Register) -> Iterator[Finding]:
    # A number that is in use again is reported as reused, not a second time as dropped.
    covered = _merged((*new.numbers, *((number, number) for number in new.used)))
    for low, high in _uncovered(old.numbers, covered):
        text = f"reserved {low}" if low == high else f"reserved {low} to {high}"
        yield Finding(Kind.RESERVED_NUMBER_DROPPED, path, text)
    for name in sorted(old.reserved_names - new.reserved_names - new.names):
        yield Finding(Kind.RESERVED_NAME_DROPPED, path, f'reserved "{name}"')


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged


def _within(number: int, ranges: list[Range]) -> bool:
    place = bisect_right(ranges, number, key=lambda item: item[0]) - 1
    return place >= 0 and number <= ranges[place][1]


def _uncovered(ranges: list[Range], cover: list[Range]) -> Iterator[Range]:
    """The parts of the ranges that the cover leaves bare."""
    for low, high in ranges:
        start = low
        for place in range(max(bisect_right(cover, low, key=lambda item: item[0]) - 1, 0), len(cover)):
            left, right = cover[place]
            if left > high:
                break
            if start < left:
                yield start, left - 1
            start = max(start, right + 1)
        if start <= high:
            yield start, high
