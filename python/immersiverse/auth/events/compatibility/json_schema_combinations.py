"""Combined JSON Schemas: allOf, anyOf, oneOf, and what is combined on one side only.

Source: Confluent Schema Registry, the rules for combined JSON Schemas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.findings import Finding
from immersiverse.auth.events.compatibility.json_schema_documents import Place, canonical
from immersiverse.auth.events.compatibility.json_schema_forms import COMBINED
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.compatibility.json_schema_content import Judge
    from immersiverse.auth.events.compatibility.json_schema_forms import Form, Part

    Edges = dict[tuple[int, int], list[Finding]]


def compare_one_with_many(
    parts: tuple[Part, Part], forms: tuple[Form, Form], path: str, judge: Judge
) -> list[Finding] | None:
    """Compare a schema with a combination, where that alone decides; None where it does not.

    A combination of one is that one. An alternative may join what was alone, and what was demanded together
    may be demanded in part.

    Args:
        parts: the old and the new schema.
        forms: their forms.
        path: where they stand.
        judge: what compares the parts.
    """
    old, new = forms
    if new.kind in COMBINED and old.kind not in COMBINED:
        pairs = [(parts[0], part) for part in new.parts]
        harmless = None if new.kind == "allOf" else Kind.SUM_TYPE_EXTENDED
    elif old.kind in COMBINED and new.kind not in COMBINED:
        pairs = [(part, parts[1]) for part in old.parts]
        harmless = Kind.PRODUCT_TYPE_NARROWED if old.kind == "allOf" else None
    else:
        return None
    if harmless is None and len(pairs) > 1:
        return None
    for pair in pairs:
        found = judge.compare(*pair, path)
        if not judge.refuses(found):
            return found if len(pairs) == 1 or harmless is None else [*found, Finding(harmless, path)]
    return None


def compare_combinations(old: Form, new: Form, path: str, judge: Judge) -> list[Finding]:
    """Compare two combinations: each of the smaller needs a partner of its own in the larger."""
    before, after = _distinct(old.parts), _distinct(new.parts)
    found = _criteria(old, new, path)
    if any(finding.kind is Kind.COMBINED_TYPE_CHANGED for finding in found):
        return found
    found += _sizes(old.kind, new.kind, len(before), len(after), path)
    edges: Edges = {}
    for row, one in enumerate(before):
        for column, other in enumerate(after):
            changes = judge.compare(one, other, f"{path}/{old.kind}/{row}")
            if not judge.refuses(changes):
                edges[row, column] = changes
    matched = _matching(len(before), len(after), edges)
    found += [finding for pair in matched for finding in edges[pair]]
    if len(matched) < min(len(before), len(after)):
        alone = sorted(set(range(len(before))) - {row for row, _ in matched})
        text = ", ".join(f"{old.kind}/{row}" for row in alone)
        found.append(Finding(Kind.COMBINED_TYPE_SUBSCHEMAS_CHANGED, path, text, "nothing that takes it"))
    return found


def _criteria(old: Form, new: Form, path: str) -> list[Finding]:
    if old.kind == new.kind:
        return []
    alone_before, alone_after = len(old.parts) == 1, len(new.parts) == 1
    extended = (
        new.kind == "anyOf"
        or (alone_before and (alone_after or new.kind == "oneOf"))
        or (alone_after and old.kind == "allOf")
    )
    kind = Kind.COMBINED_TYPE_EXTENDED if extended else Kind.COMBINED_TYPE_CHANGED
    return [Finding(kind, path, old.kind, new.kind)]


def _sizes(old: str, new: str, before: int, after: int, path: str) -> list[Finding]:
    if before == after:
        return []
    if before < after:
        kind = Kind.PRODUCT_TYPE_EXTENDED if new == "allOf" else Kind.SUM_TYPE_EXTENDED
    else:
        kind = Kind.PRODUCT_TYPE_NARROWED if old == "allOf" else Kind.SUM_TYPE_NARROWED
    return [Finding(kind, path, f"{before} of {old}", f"{after} of {new}")]


def _distinct(parts: Sequence[Part]) -> list[Part]:
    return list({canonical(p.value) if isinstance(p, Place) else f"form {id(p)}": p for p in parts}.values())


def _matching(rows: int, columns: int, edges: Edges) -> list[tuple[int, int]]:
    """As many pairs as there can be of which none share a side (augmenting paths)."""
    taken: dict[int, int] = {}
    wanted = {
        row: sorted(
            (column for column in range(columns) if (row, column) in edges),
            # What did not change belongs together, and what stands in the same place.
            key=lambda column, row=row: (len(edges[row, column]), column != row),  # type: ignore[misc]
        )
        for row in range(rows)
    }

    def place(row: int, tried: set[int]) -> bool:
        for column in wanted[row]:
            if column not in tried:
                tried.add(column)
                if column not in taken or place(taken[column], tried):
                    taken[column] = row
                    return True
        return False

    for row in range(rows):
        place(row, set())
    return sorted((row, column) for column, row in taken.items())
