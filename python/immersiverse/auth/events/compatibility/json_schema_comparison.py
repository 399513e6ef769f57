"""Every change between two versions of a JSON Schema.

Source: Confluent Schema Registry, its comparison of JSON Schemas. Where the registry compares nothing, as of
``if`` and ``contains``, a difference is NOT_JUDGED; where it takes a type that a schema came to demand for no
change, it is TYPE_NARROWED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.findings import Finding
from immersiverse.auth.events.compatibility.json_schema_arrays import compare_arrays
from immersiverse.auth.events.compatibility.json_schema_combinations import (
    compare_combinations,
    compare_one_with_many,
)
from immersiverse.auth.events.compatibility.json_schema_dependencies import compare_dependencies
from immersiverse.auth.events.compatibility.json_schema_documents import Place
from immersiverse.auth.events.compatibility.json_schema_forms import (
    ANYTHING,
    COMBINED,
    NOTHING,
    Form,
    followed,
    form_of,
)
from immersiverse.auth.events.compatibility.json_schema_limits import (
    compare_constants,
    compare_enums,
    compare_numbers,
    compare_strings,
)
from immersiverse.auth.events.compatibility.json_schema_objects import compare_objects
from immersiverse.auth.events.compatibility.json_schema_unjudged import unjudged
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind
from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from immersiverse.auth.events.compatibility.json_schema_documents import JsonSchema
    from immersiverse.auth.events.compatibility.json_schema_forms import Part
    from immersiverse.auth.events.compatibility.json_schema_policy import Policy

    Pair = tuple[int, int]
    Found = dict[Pair, list[Finding]]


_MOST_STEPS = 50_000
"""Pairs of schemas in one walk, a second or two. Alternatives are compared each with each, at every depth."""


def compare_schemas(old: JsonSchema, new: JsonSchema, policy: Policy) -> list[Finding]:
    """Every change that a reader by ``new`` meets in what a writer by ``old`` may write, harmless ones too.

    Schemas that hold themselves are first taken to be unchanged where they come round again; where that
    proves wrong, all is compared once more with what is known by then.

    Raises:
        InvalidSchema: a reference leads back to itself, or there is too much to compare.
    """
    known: Found = {}
    while True:
        walk = _Walk(policy, known)
        found = walk.compare(Place(old, "", old.root), Place(new, "", new.root), "#")
        refused = {pair: findings for pair, findings in walk.found.items() if walk.refuses(findings)}
        if not walk.assumed or refused.keys() <= known.keys():
            return [finding._replace(path="#/") if finding.path == "#" else finding for finding in found]
        known |= refused


class _Walk:
    """One walk through two schemas, in which every pair of schemas is compared once."""

    def __init__(self, policy: Policy, known: Found) -> None:
        self._policy = policy
        self._known = known
        self._open: set[Pair] = set()
        self.found: Found = {}
        self.assumed = False
        self._steps = 0

    def refuses(self, findings: list[Finding]) -> bool:
        return any(self._policy.breaks(finding.kind) for finding in findings)

    def compare(self, old: Part, new: Part, path: str) -> list[Finding]:
        old, new = followed(old), followed(new)
        if not (isinstance(old, Place) and isinstance(new, Place)):
            return self._compare(old, new, path)
        pair = id(old.value), id(new.value)
        if isinstance(old.value, bool) or isinstance(new.value, bool):
            return self._compare(old, new, path)  # a truth value is the same object wherever it stands
        if pair in self._open:
            self.assumed = self.assumed or pair not in self._known
            return self._known.get(pair, [])
        if pair not in self.found:
            self._open.add(pair)
            self.found[pair] = list(dict.fromkeys(self._compare(old, new, path)))
            self._open.discard(pair)
        return self.found[pair]

    def _compare(self, old: Part, new: Part, path: str) -> list[Finding]:
        forms = form_of(old), form_of(new)
        if forms[0].kind == NOTHING:
            return []
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise InvalidSchema("the JSON Schemas hold too many alternatives in alternatives to be compared")
        return [*unjudged(_keywords(old), _keywords(new), path), *self._forms((old, new), forms, path)]

    def _forms(self, parts: tuple[Part, Part], forms: tuple[Form, Form], path: str) -> list[Finding]:
        old, new = forms
        decided = compare_one_with_many(parts, forms, path, self)
        if decided is not None:
            return decided
        if old.kind in COMBINED and new.kind in COMBINED:
            return compare_combinations(old, new, path, self)
        if old.kind != new.kind:
            changed = Finding(Kind.TYPE_CHANGED, path, _text(old), _text(new))
            return [] if new.kind == ANYTHING else [changed]
        return [*_demanded(old, new, path), *self._same_kind(old, new, path)]

    def _same_kind(self, old: Form, new: Form, path: str) -> Iterable[Finding]:
        if old.kind == "not":
            return self._negations(old, new, f"{path}/not")
        if old.kind == "array":
            return compare_arrays(old, new, path, self)
        if old.kind == "object":
            return (
                *compare_objects(old, new, path, self),
                *compare_dependencies(old, new, path, self),
            )
        return _VALUES[old.kind](old, new, path) if old.kind in _VALUES else ()

    def _negations(self, old: Form, new: Form, path: str) -> list[Finding]:
        """What is forbidden may only become less: the new prohibition must be within the old one."""
        turned = self.compare(new.parts[0], old.parts[0], path)
        if not turned:
            return []
        return [Finding(Kind.NOT_TYPE_EXTENDED if self.refuses(turned) else Kind.NOT_TYPE_NARROWED, path)]


_VALUES: dict[str, Callable[[Form, Form, str], Iterable[Finding]]] = {
    "const": compare_constants,
    "enum": compare_enums,
    "number": compare_numbers,
    "string": compare_strings,
}


def _keywords(part: Part) -> Place:
    """Where a part's own keywords stand: those of a form's schema are compared where that schema is."""
    return part if isinstance(part, Place) else part.place.child({})


def _demanded(old: Form, new: Form, path: str) -> list[Finding]:
    """Whether the type itself came to be demanded, or no longer is."""
    if old.typed == new.typed:
        return []
    kind = Kind.TYPE_EXTENDED if old.typed else Kind.TYPE_NARROWED
    return [Finding(kind, path, _text(old), _text(new))]


def _text(form: Form) -> str:
    if form.kind == "number" and form.integer:
        return "integer"
    return form.kind if form.typed else f"any type, with keywords of {form.kind}"
