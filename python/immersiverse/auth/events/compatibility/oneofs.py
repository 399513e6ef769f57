"""Oneofs: which came and went, and which fields can no longer be set together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.findings import Finding
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from immersiverse.auth.events.compatibility.fields import Field

Fields = dict[int, "Field"]


def compare_oneofs(path: str, old: Fields, new: Fields) -> Iterator[Finding]:
    """Compare two messages' oneofs by name, and what each new one brings together."""
    before, after = _members(old), _members(new)
    for name, members in after.items():
        yield from _brought_together(f"{path}/{name}", members, old)
    for name in sorted(before.keys() - after.keys()):
        yield Finding(Kind.ONEOF_REMOVED, f"{path}/{name}", old=_text(name, before[name]))
    for name in sorted(after.keys() - before.keys()):
        yield Finding(Kind.ONEOF_ADDED, f"{path}/{name}", new=_text(name, after[name]))


def emptied_oneofs(old: Fields, new: Fields) -> set[str]:
    """Name the oneofs that went with all their members, which is no more than removing optional fields."""
    kept = {field.oneof for field in new.values()} | {old[number].oneof for number in old.keys() & new.keys()}
    return {field.oneof for field in old.values() if field.oneof} - kept


def _brought_together(path: str, members: list[Field], old: Fields) -> Iterator[Finding]:
    """Report fields that could be set together before: data that sets both loses one.

    Members of one old oneof already excluded each other; a field outside was on its own.
    """
    origins = [old[member.number] for member in members if member.number in old]
    lone = [field for field in origins if not field.oneof]
    groups = len(lone) + len({field.oneof for field in origins if field.oneof})
    if groups <= 1:
        return
    kind = Kind.MULTIPLE_FIELDS_MOVED_TO_ONEOF if len(lone) > 1 else Kind.FIELD_MOVED_TO_EXISTING_ONEOF
    names = ", ".join(field.name for field in lone or origins)
    yield Finding(kind, path, f"outside the oneof or in another: {names}", _text(members[0].oneof, members))


def _members(fields: Fields) -> dict[str, list[Field]]:
    oneofs: dict[str, list[Field]] = {}
    for field in fields.values():
        if field.oneof:
            oneofs.setdefault(field.oneof, []).append(field)
    return oneofs


def _text(name: str, members: Iterable[Field]) -> str:
    return f"oneof {name} {{ {', '.join(member.name for member in members)} }}"
