"""Arrays in two JSON Schemas: their items, those with a place of their own, and how many there may be.

Source: Confluent Schema Registry, the rules for JSON Schema arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def compare_arrays(old: Form, new: Form, path: str, judge: Judge) -> Iterator[Finding]:
    """Compare what two schemas demand of an array."""
    yield from _every_item(old, new, f"{path}/items", judge)
    before, after = _placed(old), _placed(new)
    for place in range(max(len(before), len(after))):
        where = f"{path}/items/{place}"
        if place < len(before) and place < len(after):
            yield from judge.compare(before[place], after[place], where)
        elif place < len(before):
            yield from _removed(before[place], _content(new), where, judge)
        else:
            yield from _added(after[place], _content(old), where, judge)
    yield from compare_rests("additionalItems", (_others(old), _others(new)), path, judge)
    yield from compare_rests("unevaluatedItems", (_unevaluated(old), _unevaluated(new)), path, judge)
    yield from compare_limits(SIZES["array"], old, new, path)
    if bool(old.keyword("uniqueItems")) != bool(new.keyword("uniqueItems")):
        kind = Kind.UNIQUE_ITEMS_REMOVED if old.keyword("uniqueItems") else Kind.UNIQUE_ITEMS_ADDED
        yield Finding(kind, f"{path}/uniqueItems")


def _every_item(old: Form, new: Form, path: str, judge: Judge) -> Iterator[Finding]:
    """Compare the schema of all items, which is none where items have places of their own."""
    before, after = _all(old), _all(new)
    if before and after:
        yield from judge.compare(before, after, path)
    elif before or after:
        yield Finding(Kind.SCHEMA_REMOVED if before else Kind.SCHEMA_ADDED, path)


def _all(form: Form) -> Place | None:
    items = form.keyword("items")
    if "prefixItems" in form.place.value or not isinstance(items, dict):
        return None
    schema = form.place.child(items)
    return None if is_empty(schema) else schema


def _placed(form: Form) -> list[Place]:
    """The schemas of the first items, under the names that drafts have for them."""
    items = form.keyword("items")
    schemas = items if isinstance(items, list) else form.keyword("prefixItems") or []
    return [form.place.child(schema) for schema in schemas]


def _others(form: Form) -> Rest:
    """What stands after the items that have places."""
    raw = form.place.value
    if isinstance(raw.get("items"), list):
        return rest(form.place, raw.get("additionalItems", True))
    if "prefixItems" in raw or raw.get("items") is False:
        return rest(form.place, raw.get("items", True))
    return True


def _unevaluated(form: Form) -> Rest:
    """What stands after those that no keyword beside it has looked at; one that looks at all leaves none."""
    raw = form.place.value
    looks_at_all = "additionalItems" in raw if isinstance(raw.get("items"), list) else "items" in raw
    return True if looks_at_all else rest(form.place, raw.get("unevaluatedItems", True))


def _content(form: Form) -> Rest:
    others = _others(form)
    return _unevaluated(form) if others is True else others


def _removed(schema: Place, content: Rest, path: str, judge: Judge) -> Iterator[Finding]:
    if content is True:
        yield Finding(Kind.ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL, path)
    elif isinstance(content, Place):
        yield from covered("ITEM_REMOVED", (schema, content), path, judge)
    elif form_of(schema).kind == NOTHING:
        yield Finding(Kind.ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL, path)
    else:
        yield Finding(Kind.ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL, path)


def _added(schema: Place, content: Rest, path: str, judge: Judge) -> Iterator[Finding]:
    if isinstance(content, Place):
        yield from covered("ITEM_ADDED", (content, schema), path, judge)
    elif content is False:
        yield Finding(Kind.ITEM_ADDED_TO_CLOSED_CONTENT_MODEL, path)
    elif is_empty(schema):
        yield Finding(Kind.ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL, path)
    else:
        yield Finding(Kind.ITEM_ADDED_TO_OPEN_CONTENT_MODEL, path)
