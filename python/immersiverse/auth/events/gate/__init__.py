"""The compatibility gate: what a change of the contract would do, against earlier versions wherever they are.

``read`` takes a version from a file, a tree, a descriptor set, a wheel or git; ``judge`` compares versions,
and ``judge_registry`` asks the subjects of a registry.
"""

from __future__ import annotations

from immersiverse.auth.events.gate.contract import current_contract, installed_contract
from immersiverse.auth.events.gate.judged import JudgedChange
from immersiverse.auth.events.gate.reading import read, read_if_any
from immersiverse.auth.events.gate.subjects import judge_registry
from immersiverse.auth.events.gate.verdict import Unjudged, Verdict, judge
from immersiverse.auth.events.gate.version import Version
from immersiverse.auth.events.gate.views import View

__all__ = [
    "JudgedChange",
    "Unjudged",
    "Verdict",
    "Version",
    "View",
    "current_contract",
    "installed_contract",
    "judge",
    "judge_registry",
    "read",
    "read_if_any",
]
