"""What a JSON Schema says of the properties or items that it does not name: any, none, or those that fit.

Source: Confluent Schema Registry, open, closed and partially open content models.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from immersiverse.auth.events.compatibility.findings import Finding
from immersiverse.auth.events.compatibility.json_schema_documents import Place
from immersiverse.auth.events.compatibility.json_schema_forms import is_empty
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.compatibility.json_schema_forms import Part


class Judge(Protocol):
    """The comparison of what stands within what is compared."""

    def compare(self, old: Part, new: Part, path: str) -> list[Finding]:
        """Every change between two schemas."""
        ...

    def refuses(self, findings: list[Finding]) -> bool:
        """Whether one of them breaks somebody."""
        ...


Rest = bool | Place
"""True for any, False for none, or the schema that the rest must fit."""


def rest(place: Place, value: Any) -> Rest:
    """The rest that a keyword's value stands for; an absent one is True."""
    if value is False:
        return False
    schema = place.child(value)
    return True if is_empty(schema) else schema


def compare_rests(keyword: str, rests: Sequence[Rest], path: str, judge: Judge) -> Iterator[Finding]:
    """Compare the old rest with the new one."""
    where = f"{path}/{keyword}"
    old, new = rests
    if isinstance(old, Place) and isinstance(new, Place):
        yield from judge.compare(old, new, where)
    elif old != new:
        name = re.sub("(?=[A-Z])", "_", keyword).upper()
        yield Finding(Kind[f"{name}_{_change(old, new)}"], where, _text(old), _text(new))


def covered(change: str, sides: tuple[Place, Place], path: str, judge: Judge) -> Iterator[Finding]:
    """Compare what came or went under a name with what the rest on the other side must fit.

    Args:
        change: what happened, such as ``PROPERTY_ADDED``.
        sides: the old and the new schema, one of them that of the rest.
        path: where.
        judge: what compares them.
    """
    found = judge.compare(*sides, path)
    yield from found
    word = "NOT_COVERED" if judge.refuses(found) else "IS_COVERED"
    yield Finding(Kind[f"{change}_{word}_BY_PARTIALLY_OPEN_CONTENT_MODEL"], path)


def _change(old: Rest, new: Rest) -> str:
    if old is False:
        return "ADDED"
    if new is False:
        return "REMOVED"
    return "NARROWED" if old is True else "EXTENDED"


def _text(value: Rest) -> str:
    if isinstance(value, Place):
        return "only what fits"
    return "any" if value else "none"
