"""Objects in two JSON Schemas: their properties, which of them are required, and what else may stand there.

Source: Confluent Schema Registry, the rules for JSON Schema objects. It overlooks a required property that is
described nowhere, and patterns of names; here the one is refused and the other is not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.compatibility.findings import Finding
from immersiverse.auth.events.compatibility.json_schema_content import compare_rests, covered, rest
from immersiverse.auth.events.compatibility.json_schema_documents import Place
from immersiverse.auth.events.compatibility.json_schema_forms import NOTHING, form_of, is_empty
from immersiverse.auth.events.compatibility.json_schema_limits import SIZES, compare_limits
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.compatibility.json_schema_content import Judge, Rest
    from immersiverse.auth.events.compatibility.json_schema_forms import Form

_REST = ("additionalProperties", "unevaluatedProperties")


def compare_objects(old: Form, new: Form, path: str, judge: Judge) -> Iterator[Finding]:
    """Compare what two schemas demand of an object."""
    yield from _required(old, new, f"{path}/required")
    before, after = _properties(old), _properties(new)
    for name in dict.fromkeys((*before, *after)):
        where = f"{path}/properties/{name}"
        if name in before and name in after:
            yield from judge.compare(before[name], after[name], where)
        elif name in before:
            yield from _removed(before[name], new, where, judge)
        else:
            yield from _added(after[name], old, where, judge)
            required = name in (new.keyword("required") or ())
            yield Finding(_kind_of_addition(after[name], old, required=required), where)
    for keyword in _REST:
        yield from compare_rests(keyword, (_rest(old, keyword), _rest(new, keyword)), path, judge)
    yield from _patterns(old, new, f"{path}/patternProperties", judge)
    yield from compare_limits(SIZES["object"], old, new, path)


def _properties(form: Form) -> dict[str, Place]:
    schemas = form.keyword("properties") or {}
    return {name: form.place.child(schema) for name, schema in schemas.items()}


def _required(old: Form, new: Form, path: str) -> Iterator[Finding]:
    before, after = (dict.fromkeys(form.keyword("required") or ()) for form in (old, new))
    described, came = _properties(new), _properties(new).keys() - _properties(old).keys()
    for name in before.keys() - after.keys():
        yield Finding(Kind.REQUIRED_ATTRIBUTE_REMOVED, f"{path}/{name}", "required", "optional")
    for name in after:
        if name in before or name in came:  # one that came is told as such
            continue
        has_default = name in described and _has_default(described[name])
        kind = Kind.REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED if has_default else Kind.REQUIRED_ATTRIBUTE_ADDED
        yield Finding(kind, f"{path}/{name}", "optional", "required")


def _removed(schema: Place, new: Form, path: str, judge: Judge) -> Iterator[Finding]:
    """What the new content makes of a property that the old schema describes."""
    content = _content(new)
    if new.keyword("patternProperties"):
        yield _not_judged(path, "patternProperties")
    elif content is True:
        yield Finding(Kind.PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL, path)
    elif isinstance(content, Place):
        yield from covered("PROPERTY_REMOVED", (schema, content), path, judge)
    elif form_of(schema).kind == NOTHING:
        yield Finding(Kind.PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL, path)
    else:
        yield Finding(Kind.PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL, path)


def _added(schema: Place, old: Form, path: str, judge: Judge) -> Iterator[Finding]:
    """What the old content makes of a property that the new schema describes."""
    content = _content(old)
    if old.keyword("patternProperties"):
        yield _not_judged(path, "patternProperties")
    elif isinstance(content, Place):
        yield from covered("PROPERTY_ADDED", (content, schema), path, judge)


def _kind_of_addition(schema: Place, old: Form, *, required: bool) -> Kind:
    is_open = _content(old) is True
    if is_open and not required and is_empty(schema):
        return Kind.PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL
    word = "OPTIONAL_PROPERTY"
    if required:
        word = "REQUIRED_PROPERTY_WITH_DEFAULT" if _has_default(schema) else "REQUIRED_PROPERTY"
    return Kind[f"{word}_ADDED_TO_{'OPEN' if is_open else 'UNOPEN'}_CONTENT_MODEL"]


def _content(form: Form) -> Rest:
    """What a property that is not described must fit."""
    return _rest(form, next((keyword for keyword in _REST if keyword in form.place.value), ""))


def _rest(form: Form, keyword: str) -> Rest:
    raw = form.place.value
    # Where additionalProperties says something, there is nothing that is left unevaluated.
    is_moot = keyword == _REST[1] and _REST[0] in raw
    return True if is_moot else rest(form.place, raw.get(keyword, True))


def _patterns(old: Form, new: Form, path: str, judge: Judge) -> Iterator[Finding]:
    before, after = (form.keyword("patternProperties") or {} for form in (old, new))
    for pattern in dict.fromkeys((*before, *after)):
        if pattern in before and pattern in after:
            sides = old.place.child(before[pattern]), new.place.child(after[pattern])
            yield from judge.compare(*sides, f"{path}/{pattern}")
        else:
            yield _not_judged(f"{path}/{pattern}", "patternProperties")


def _has_default(schema: Place) -> bool:
    return isinstance(schema.value, dict) and "default" in schema.value


def _not_judged(path: str, keyword: str, old: Any = "") -> Finding:
    return Finding(Kind.NOT_JUDGED, path, old, f"not judged: keyword {keyword}")
