"""scripts/mutate: apply each fault to a copy of the tree, and see whether a test fails."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from mutation.fault import Fault, FaultNotApplicable
from mutation.faults import FAULTS
from mutation.run import Copy, Outcome, TestsUnusable

AT_A_TIME = 2
WIDTH = max(len(fault.name) for fault in FAULTS)


def main(arguments: Sequence[str] | None = None) -> int:
    """1 if a fault survives, 2 if one could not be tried."""
    parser = _parser()
    given = parser.parse_args(arguments)
    chosen = [fault for fault in FAULTS if not given.only or fault.name in given.only]
    if unknown := set(given.only or ()) - {fault.name for fault in chosen}:
        parser.error(f"no fault is called {', '.join(sorted(unknown))}: see --list")
    if given.list:
        _write("\n".join(f"{fault.name:{WIDTH}} {fault.file}" for fault in chosen))
        return 0
    outcomes = []
    try:
        for outcome in _outcomes(chosen, check_first=not given.unchecked):
            outcomes.append(outcome)
            _log(f"{outcome.verdict:9} {outcome.fault:{WIDTH}} {outcome.caught_by}")
    except (FaultNotApplicable, TestsUnusable) as error:
        _log(f"mutate: {error}")
        return 2
    survived = sum(outcome.verdict == "survived" for outcome in outcomes)
    if given.json:
        _write(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))
    else:
        _write(f"{len(outcomes)} faults, {survived} survived")
    return 1 if survived else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/mutate",
        description="Apply deliberate faults one by one, and run the tests that should notice. "
        "A fault that no test notices survives: write the test that is missing.",
    )
    parser.add_argument("--only", metavar="NAME", action="append", help="a fault; may be repeated")
    parser.add_argument("--list", action="store_true", help="show the faults, and run nothing")
    parser.add_argument("--json", action="store_true", help="write the outcomes as JSON")
    parser.add_argument(
        "--unchecked", action="store_true", help="do not see first that the tests pass without a fault"
    )
    return parser


def _outcomes(faults: Sequence[Fault], *, check_first: bool) -> Iterator[Outcome]:
    with TemporaryDirectory(prefix="auth-events-mutate-") as scratch, ThreadPoolExecutor(AT_A_TIME) as pool:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(AT_A_TIME):
            (folder := Path(scratch, str(number))).mkdir()
            copies.put(Copy(folder))
        if check_first:
            _require_success(copies, faults)

        def tried(fault: Fault) -> Outcome:
            copy = copies.get()
            try:
                return copy.outcome(fault)
            finally:
                copies.put(copy)

        try:
            for done in as_completed([pool.submit(tried, fault) for fault in faults]):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _require_success(copies: SimpleQueue[Copy], faults: Iterable[Fault]) -> None:
    copy = copies.get()
    failed = copy.first_failure(sorted({path for fault in faults for path in fault.tests}))
    copies.put(copy)
    if failed:
        raise TestsUnusable(f"{failed} fails without any fault")


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
