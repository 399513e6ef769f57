"""scripts/fuzz: read mutated messages, and show how often it ended how."""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import secrets
import sys
import time

from fuzz.campaign import Find, Outcome, campaign


def main() -> int:
    """Run a campaign; 1 if it finds something."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many messages (1,000,000)")
    parser.add_argument("--seed", type=int, help="the same seed gives the same messages (random)")
    arguments = parser.parse_args()
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    began = time.monotonic()
    try:
        outcome = campaign(arguments.inputs, seed)
    except Find as find:
        print(f"FOUND\n{find}", file=sys.stderr)
        return 1
    _show(outcome, time.monotonic() - began)
    return 0


def _show(outcome: Outcome, seconds: float) -> None:
    for (format, ending), count in sorted(outcome.counts.items()):  # noqa: A001 - its name
        print(f"{format:25} {ending:18} {count:10,}")
    print(f"{outcome.inputs:,} inputs in {seconds:.0f} s, nothing outside the error tree")
    print(
        f"memory: {outcome.worst_ratio:.0%} of an input's allowance at most, {outcome.grown:.1f} MiB in all"
    )


if __name__ == "__main__":
    sys.exit(main())
