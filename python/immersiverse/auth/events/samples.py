"""A realistic sample of each event type: package data, taken from the simulation by ``scripts/generate``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import orjson


def sample(name: str) -> bytes | None:
    """The JSON of a sample event; None for a type of which `scripts/generate` has written none yet.

    Args:
        name: the event type's short name, such as ``UserCreated``.
    """
    return _samples().get(name)


@cache
def _samples() -> dict[str, bytes]:
    text = files("immersiverse.auth.events").joinpath("samples.jsonl").read_bytes()
    return {orjson.loads(line)["eventType"]: line for line in text.splitlines()}
