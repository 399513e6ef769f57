"""What a change does to those who go by the contract's JSON Schemas or its Avro schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from immersiverse.auth.events.compatibility import views
from immersiverse.auth.events.gate.judged import JudgedChange

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from immersiverse.auth.events.compatibility import Change, Level, Schema

    Check = Callable[..., list[Change]]

View = Literal["JSON Schema", "Avro"]
"""A schema that follows from the contract."""

_CHECKS: Final[Mapping[View, Check]] = {"JSON Schema": views.check_json, "Avro": views.check_avro}


def judge_views(old: Schema, new: Schema, *, level: Level, which: Collection[View]) -> Iterator[JudgedChange]:
    """What a level forbids in the schemas that follow from two versions of a file; nothing of other files.

    Raises:
        InvalidSchema: a version contradicts itself.
        MissingExtra: for Avro without its dependency.
    """
    for view in which:
        for change in _CHECKS[view](new, [old], level=level):
            parts = change.path.removeprefix("#/").split("/")
            yield JudgedChange(change, view=view, place=".".join(parts), events=_events(view, parts))


def _events(view: View, parts: Sequence[str]) -> tuple[str, ...]:
    """Each event has a JSON Schema of its own; the Avro schema is one for all."""
    return (parts[0],) if view == "JSON Schema" else ()
