"""What pyproject.toml asks of other packages; it is the only place that says so."""

from __future__ import annotations

import tomllib
from itertools import chain
from typing import Any

from packaging.requirements import Requirement

from checks.check import ROOT


def declared(name: str) -> str:
    """The requirement of the base package on another, as it is written."""
    lines: list[str] = _project()["dependencies"]
    return next(line for line in lines if Requirement(line).name == name)


def lowest_bounds() -> list[str]:
    """Every dependency of the package and its extras, pinned to the oldest version that is allowed."""
    project = _project()
    lines = chain(project["dependencies"], *project["optional-dependencies"].values())
    wanted = [Requirement(line) for line in lines]
    return [f"{one.name}=={_lowest(one)}" for one in wanted if one.name != project["name"]]


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


def _lowest(requirement: Requirement) -> str:
    return next(bound.version for bound in requirement.specifier if bound.operator == ">=")
