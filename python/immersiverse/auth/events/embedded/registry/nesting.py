"""How deeply JSON may be nested: what is read on a short stack must be written on a longer one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.embedded.registry.records import JSON

DEEPEST = 100


def shallow_json(text: str | bytes) -> JSON:
    """The value that the text stands for.

    Raises:
        ValueError: it is not JSON, or nested deeper than `DEEPEST`.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {DEEPEST}") from error
    level = [value]
    for _ in range(DEEPEST):
        level = [child for item in level for child in _children(item)]
        if not level:
            return value
    raise ValueError(f"it is nested deeper than {DEEPEST}")


def _children(value: JSON) -> Iterator[JSON]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value
