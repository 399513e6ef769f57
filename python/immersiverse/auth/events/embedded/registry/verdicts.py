"""Whether a subject's level allows a new schema beside those it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.embedded.registry.records import Content
    from immersiverse.auth.events.embedded.registry.store import Store

LEVELS = (
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
)


def objections(new: Content, olds: Sequence[Content], level: str, store: Store) -> list[str]:
    """What breaks, in sentences; empty if nothing does.

    Args:
        new: the schema to be judged.
        olds: what is there, oldest first.
        level: one of `LEVELS`.
        store: where imports are found.
    """
    if level == "NONE" or not olds:
        return []
    judged = olds if level.endswith("_TRANSITIVE") else olds[-1:]
    return [
        f"the new schema is {new.schema_type}, an earlier one {old.schema_type}"
        for old in judged
        if old.schema_type != new.schema_type
    ]
