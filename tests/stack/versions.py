"""Which servers to run: pyproject.toml is the only place that says it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Versions:
    """The servers' versions, as Maven Central knows them."""

    kafka: str
    apicurio: str
    debezium: str


def pinned_versions() -> Versions:
    """Read `[tool.immersiverse.stack]`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return Versions(**project["tool"]["immersiverse"]["stack"])
