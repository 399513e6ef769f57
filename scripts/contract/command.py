"""scripts/gate: whether a change of the contract may land, in seconds.

Lint, what a contract must be by itself (topics, numbers, keys, personal data), buf's breaking rules (FILE,
WIRE_JSON, CSR) against the base and the last release, the strict rules against the base and every release,
Avro's rules, and the recorded bytes of every release, read by this code.
The base is the branch that a pull request goes to, else main; in a clone that does not hold it, only releases
count.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from contract import buf, verdicts
from contract.fault import Fault
from contract.tree import GOLDEN, ROOT, Tree
from immersiverse.auth.events.errors import AuthEventsError

Step = Callable[[Tree], list[Fault]]

STEPS: Mapping[str, Step] = {
    "lint": buf.lint,
    "breaking-base": buf.breaking_base,
    "breaking-release": buf.breaking_release,
    "contract": verdicts.contract,
    "bindings": verdicts.bindings,
    "strict-base": verdicts.strict_base,
    "strict-releases": verdicts.strict_releases,
    "avro-releases": verdicts.avro_releases,
    "recordings": verdicts.recordings,
    "golden": verdicts.golden,
}


@dataclass(frozen=True)
class Outcome:
    """How a step ended.

    Attributes:
        name: which.
        seconds: how long it took.
        faults: what it found.
    """

    name: str
    seconds: float
    faults: list[Fault]


def main(arguments: list[str] | None = None) -> int:
    """Run every step; 1 if any found a fault."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="auth-events-gate-") as scratch, ThreadPoolExecutor(3) as pool:
        tree = Tree(options.base, options.golden.resolve(), Path(scratch))
        outcomes = pool.map(lambda name: _outcome(name, tree), STEPS)
        shown: set[object] = set()
        for outcome in outcomes:
            _show(outcome, shown)
    print(_summary(tree))
    return 1 if shown else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/gate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--base",
        default=os.environ.get("GITHUB_BASE_REF") or "main",
        metavar="REF",
        help="the branch that the change goes to (default: GITHUB_BASE_REF, else main)",
    )
    parser.add_argument(
        "--golden",
        type=Path,
        default=ROOT / GOLDEN,
        metavar="FOLDER",
        help=f"where recorded releases lie (default: {GOLDEN})",
    )
    return parser


def _outcome(name: str, tree: Tree) -> Outcome:
    began = time.monotonic()
    try:
        faults = STEPS[name](tree)
    except AuthEventsError as error:  # a contract that cannot be read is a fault like any other
        faults = [Fault(str(error), type(error).__name__)]
    return Outcome(name, time.monotonic() - began, faults)


def _show(outcome: Outcome, shown: set[object]) -> None:
    """A line for the step, and what it found that no step before it did."""
    fresh = [fault for fault in outcome.faults if fault.identity not in shown]
    shown.update(fault.identity for fault in fresh)
    known = len(outcome.faults) - len(fresh)
    verdict = f"{len(outcome.faults)} found" + (f", {known} as above" if known else "")
    print(f"{outcome.name:16} {outcome.seconds:6.2f} s  {verdict if outcome.faults else 'ok'}", flush=True)
    for fault in fresh:
        print(f"  {fault}")
        if os.environ.get("GITHUB_ACTIONS"):
            print(fault.annotation())


def _summary(tree: Tree) -> str:
    compared = [release.version for release in tree.releases]
    base = [tree.base] if tree.commit else []
    missing = "" if tree.commit else f"; {tree.base} is not in this clone"
    return f"compared with {', '.join(base + compared) or 'nothing'}{missing}"
