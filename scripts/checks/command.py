"""scripts/check: run the gate, two checks at a time, a line for each; output only of those that fail."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from checks.check import Check, CheckFailed
from checks.gate import CHECKS


@dataclass(frozen=True)
class Outcome:
    """How a check ended.

    Attributes:
        check: which.
        seconds: how long it took.
        output: why it failed; empty if it passed.
    """

    check: Check
    seconds: float
    output: str


def main(arguments: list[str] | None = None) -> int:
    """Run the checks that are asked for; 1 if any fails."""
    wanted = _wanted(arguments)
    with TemporaryDirectory(prefix="auth-events-check-") as scratch, ThreadPoolExecutor(2) as pool:
        running = [pool.submit(_outcome, check, Path(scratch)) for check in wanted]
        outcomes = [_shown(done.result()) for done in as_completed(running)]
    return 1 if any(outcome.output for outcome in outcomes) else 0


def _wanted(arguments: list[str] | None) -> list[Check]:
    parser = _parser()
    chosen = set(parser.parse_args(arguments).checks)
    if unknown := chosen - {check.name for check in CHECKS}:
        parser.error(f"no check is called {', '.join(sorted(unknown))}: see --help")
    return [check for check in CHECKS if not chosen or check.name in chosen]


def _parser() -> argparse.ArgumentParser:
    width = max(len(check.name) for check in CHECKS)
    listed = "\n".join(f"  {check.name:{width}}  {check.purpose}" for check in CHECKS)
    parser = argparse.ArgumentParser(
        prog="scripts/check",
        description=f"Run every check, or those named.\n\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checks", nargs="*", metavar="NAME", help="a check of the list")
    return parser


def _outcome(check: Check, scratch: Path) -> Outcome:
    began = time.monotonic()
    try:
        check.run(scratch)
        output = ""
    except CheckFailed as failure:
        output = str(failure) or "it failed without a word"
    return Outcome(check, time.monotonic() - began, output)


def _shown(outcome: Outcome) -> Outcome:
    verdict = "FAILED" if outcome.output else "ok"
    print(f"{outcome.check.name:10} {outcome.seconds:6.1f} s  {verdict}", flush=True)
    if outcome.output:
        print(f"{outcome.output}\n", file=sys.stderr, flush=True)
    return outcome
