"""What properties of an object need beside them, in two JSON Schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.compatibility.findings import Finding
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.compatibility.json_schema_content import Judge
    from immersiverse.auth.events.compatibility.json_schema_forms import Form


def compare_dependencies(old: Form, new: Form, path: str, judge: Judge) -> Iterator[Finding]:
    """Compare the properties and the schemas that come with a property; drafts before 2019-09 mix the two."""
    yield from _names(_needed(old, "dependentRequired", list), _needed(new, "dependentRequired", list), path)
    before, after = (_needed(form, "dependentSchemas", dict | bool) for form in (old, new))
    for name in dict.fromkeys((*before, *after)):
        where = f"{path}/dependencies/{name}"
        if name not in after:
            yield Finding(Kind.DEPENDENCY_SCHEMA_REMOVED, where)
        elif name not in before:
            yield Finding(Kind.DEPENDENCY_SCHEMA_ADDED, where)
        else:
            yield from judge.compare(old.place.child(before[name]), new.place.child(after[name]), where)


def _names(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Finding]:
    for name in dict.fromkeys((*old, *new)):
        before, after = (set(side.get(name, ())) for side in (old, new))
        if name in old and name in new and before == after:
            continue
        texts = (", ".join(sorted(side)) for side in (before, after))
        yield Finding(
            Kind[f"DEPENDENCY_ARRAY_{_change(name, old, new)}"], f"{path}/dependencies/{name}", *texts
        )


def _change(name: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    if name not in new:
        return "REMOVED"
    if name not in old:
        return "ADDED"
    before, after = set(old[name]), set(new[name])
    if before < after:
        return "EXTENDED"
    return "NARROWED" if before > after else "CHANGED"


def _needed(form: Form, keyword: str, kind: Any) -> dict[str, Any]:
    mixed = form.keyword("dependencies") or {}
    own = form.keyword(keyword) or {}
    return {name: value for name, value in mixed.items() if isinstance(value, kind)} | own
