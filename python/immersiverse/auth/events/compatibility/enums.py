"""Two versions of one enum, number by number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.findings import Finding
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from immersiverse.auth.events.compatibility.declarations import EnumType


def compare_enums(prefix: str, old: Mapping[str, EnumType], new: Mapping[str, EnumType]) -> Iterator[Finding]:
    """Compare the enums that two files, or two messages, declare by the same names."""
    for name, before in old.items():
        if (after := new.get(name)) is None:
            yield Finding(Kind.ENUM_REMOVED, prefix + name, old=f"enum {name}")
        else:
            yield from compare_values(before, after)
    for name in new:
        if name not in old:
            yield Finding(Kind.ENUM_ADDED, prefix + name, new=f"enum {name}")


def compare_values(old: EnumType, new: EnumType) -> Iterator[Finding]:
    """Compare two enums' values. Of aliases, the last named counts; it is what the registry looks at."""
    before = {value.number: value.name for value in old.proto.value}
    after = {value.number: value.name for value in new.proto.value}
    for number in sorted(before.keys() | after.keys()):
        path, was, now = f"{old.path}/{number}", before.get(number), after.get(number)
        if now is None:
            yield Finding(Kind.ENUM_CONST_REMOVED, path, old=f"{was} = {number}")
        elif was is None:
            yield Finding(Kind.ENUM_CONST_ADDED, path, new=f"{now} = {number}")
        elif was != now:
            yield Finding(Kind.ENUM_CONST_CHANGED, path, f"{was} = {number}", f"{now} = {number}")
