"""The keywords of JSON Schema that no rule here compares: where they differ, that is said and refused.

Annotations are none of them: they demand nothing. The registry reads ``format`` as an annotation, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.compatibility.findings import Finding
from immersiverse.auth.events.compatibility.json_schema_documents import Place, canonical, references
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYWORDS: Final = (
    "$dynamicRef",
    "$recursiveRef",
    "contains",
    "disallow",
    "divisibleBy",
    "else",
    "extends",
    "if",
    "maxContains",
    "minContains",
    "propertyNames",
    "then",
)
"""Those that demand something; `disallow`, `divisibleBy` and `extends` are of draft 3."""
_IN_PLACE = ("$ref", "allOf", "anyOf", "contains", "dependencies", "dependentSchemas", "if", "not", "oneOf")
"""Those that look at properties and items too, so that unevaluated ones are others when these change."""


def unjudged(old: Place, new: Place, path: str) -> Iterator[Finding]:
    """A finding for each of these keywords that differs, or whose references lead to what does."""
    for keyword in KEYWORDS:
        if _meaning(old, keyword) != _meaning(new, keyword):
            yield _not_judged(path, keyword)
    for keyword in ("unevaluatedItems", "unevaluatedProperties"):
        if _said(new, keyword) not in (None, True) and any(
            _meaning(old, other) != _meaning(new, other) for other in _IN_PLACE
        ):
            yield _not_judged(path, keyword)
    before, after = _leading_out(old), _leading_out(new)
    if before != after or (after or "").startswith("#"):  # what an anchor names may have changed
        yield Finding(Kind.NOT_JUDGED, f"{path}/$ref", before or "", after or "not judged: keyword $ref")


def _not_judged(path: str, keyword: str) -> Finding:
    return Finding(Kind.NOT_JUDGED, f"{path}/{keyword}", "", f"not judged: keyword {keyword}")


def _leading_out(place: Place) -> str | None:
    """A reference that leads to nothing at hand; None if there is no such."""
    reference = _said(place, "$ref")
    return reference if reference is not None and place.target(reference) is None else None


def _said(place: Place, keyword: str) -> Any:
    return place.value.get(keyword) if isinstance(place.value, dict) else None


def _meaning(place: Place, keyword: str) -> dict[tuple[str, str], Any]:
    """What a keyword says, with all that its references lead to."""
    if _said(place, keyword) is None:
        return {}
    found: dict[tuple[str, str], Any] = {("", ""): canonical(place.value[keyword])}
    todo = [(reference, place) for reference in references({keyword: place.value[keyword]})]
    while todo:
        reference, at = todo.pop()
        if (at.document, reference) in found:
            continue
        target = at.target(reference)
        found[at.document, reference] = canonical(target.value) if target else None
        todo += [(each, target) for each in references(target.value)] if target else []
    return found
