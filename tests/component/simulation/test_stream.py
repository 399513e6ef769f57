"""The simulated stream is repeatable, valid, in order and like a real one."""

from __future__ import annotations

import hashlib
import subprocess
import sys

from immersiverse.auth.events.simulation import simulate


def digest(events):
    found = hashlib.sha256()
    for event in events:
        found.update(event.SerializeToString(deterministic=True))
    return found.hexdigest()


def test_the_same_seed_gives_the_same_events_in_another_process():
    program = (
        "import hashlib; from immersiverse.auth.events.simulation import simulate\n"
        "found = hashlib.sha256()\n"
        "for event in simulate(3, 2000): found.update(event.SerializeToString(deterministic=True))\n"
        "print(found.hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {digest(simulate(3, 2_000))}
