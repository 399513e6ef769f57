"""An event exists if and only if its transaction committed, whatever is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.outbox.run import run

_MUST_HAPPEN = ("relay killed", "relay frozen", "postgres killed", "broker killed", "writer killed")


@pytest.mark.chaos
def test_what_is_committed_is_applied_once_and_in_order_and_nothing_else(
    chaos_seconds: float, chaos_seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = run(seconds=chaos_seconds, seed=chaos_seed, folder=tmp_path)
    report = outcome.report
    with capsys.disabled():
        print(f"\n{report.line()}")  # noqa: T201 - the figures are what a long run is for
    assert outcome.broken == []
    assert min(report.faults.get(kind, 0) for kind in _MUST_HAPPEN) >= 1
    assert report.restored.transactions_after < report.restored.transactions_before
    assert report.repeats_on_the_wire > 0  # else nothing was put to the test
    assert min(report.commits, report.rollbacks["wanted"], report.kinds["two-phase"]) > 0
