"""The promises hold while brokers, subscribers and the publisher are killed."""

from __future__ import annotations

import pytest

from chaos.run import run

_LONG = 60  # seconds, in which some kill is bound to come between an event's effect and its commit


@pytest.mark.chaos
def test_no_event_is_lost_repeated_or_reordered_whatever_is_killed(
    chaos_seconds: float, chaos_seed: int, chaos_protocol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = run(seconds=chaos_seconds, seed=chaos_seed, protocol=chaos_protocol)
    with capsys.disabled():
        print(f"\n{outcome.report.line()}")  # noqa: T201 - the figures are what a long run is for
    assert outcome.broken == []
    assert outcome.report.newcomers[1] > 0
    faults = outcome.report.faults
    killed = ("leader killed", "subscriber killed", "publisher killed", "registry away")
    assert min(faults.get(kind, 0) for kind in killed) >= 1
    if chaos_seconds >= _LONG:  # else nothing was put to the test
        assert outcome.report.duplicates_handled > 0
        possible = {"clock jumped", "disk full"} - {
            why.partition(":")[0] for why in outcome.report.impossible
        }
        assert possible <= set(faults)
