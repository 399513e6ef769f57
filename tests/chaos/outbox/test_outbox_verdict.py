"""The verdict finds each broken promise: a run that passes has been checked by what finds faults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.effects import Effect
from chaos.journal import Journal
from chaos.outbox.ledger import (
    COMMITTED,
    ROLLED_BACK,
    UNKNOWN,
    Ledger,
    has_committed,
    has_rolled_back,
    read_ledger,
    will_commit,
)
from chaos.outbox.verdict import Facts, broken

ANN = [Effect(f"ann-{version}", "topic", "ann", version) for version in (1, 2, 3)]
BOB = [Effect("bob-1", "topic", "bob", 1)]
LOST = Effect("rolled-back", "topic", "bob", 2)


@pytest.fixture
def facts() -> Facts:
    """A run that kept every promise: an outcome is unknown, two events were sent again."""
    outcomes = dict.fromkeys(("ann-1", "ann-2", "bob-1"), COMMITTED)
    outcomes |= {"ann-3": UNKNOWN, "never": UNKNOWN, "rolled-back": ROLLED_BACK}
    everything = [ANN[0], BOB[0], *ANN[1:]]
    return Facts(
        ledger=Ledger(outcomes),
        outbox=everything,
        logins={"ann-1", "ann-2", "ann-3", "bob-1"},
        wire=[*ANN[:2], *ANN, *BOB],
        applied=everything,
        set_aside=0,
        afterwards=0,
    )


def test_a_run_that_kept_every_promise_is_found_unbroken(facts: Facts) -> None:
    assert broken(facts) == []


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        ({"outbox": [*ANN]}, "1 committed, but not in the outbox: bob-1"),
        ({"outbox": [*ANN, *BOB, LOST]}, "1 rolled back, but in the outbox: rolled-back"),
        ({"outbox": [*ANN, *BOB, Effect("x", "topic", "eve", 1)]}, "1 in the outbox, but of no writer: x"),
        ({"logins": {"ann-1", "ann-2", "ann-3"}}, "1 without the row that they are about"),
        ({"outbox": [ANN[1], ANN[0], ANN[2], *BOB]}, "numbered with a gap or out of order"),
        ({"wire": [*ANN]}, "1 committed, but not published: bob-1"),
        ({"wire": [*ANN[:2], *BOB]}, "1 committed, but not published: ann-3"),
        ({"wire": [*ANN, *BOB, LOST]}, "1 published, but not committed: rolled-back"),
        ({"wire": [*ANN, *BOB, Effect("bob-1", "topic", "bob", 2)]}, "1 published as something else"),
        ({"wire": [ANN[0], ANN[2], ANN[1], *BOB]}, "first published out of order"),
        ({"wire": [*ANN[1:], ANN[0], *BOB]}, "first published out of order"),
        ({"applied": [*ANN]}, "1 committed, but without an effect: bob-1"),
        ({"applied": [*ANN, *BOB, LOST]}, "1 applied, but not committed: rolled-back"),
        ({"applied": [*ANN, ANN[2], *BOB]}, "1 applied more than once: ann-3"),
        ({"applied": [ANN[1], ANN[0], ANN[2], *BOB]}, "applied out of order"),
        ({"applied": [ANN[0], ANN[2], *BOB]}, "1 applied out of order or after a gap"),
        ({"set_aside": 1}, "1 set aside"),
        ({"afterwards": 2}, "2 sent when nothing was left"),
    ],
)
def test_a_broken_promise_is_named(facts: Facts, change: dict[str, Any], promise: str) -> None:
    assert promise in "\n".join(broken(replace(facts, **change)))


def test_an_unknown_commit_that_is_in_the_outbox_must_be_published_and_applied(facts: Facts) -> None:
    happened = [*facts.outbox, Effect("never", "topic", "ann", 4)]
    logins = {*facts.logins, "never"}
    found = broken(replace(facts, outbox=happened, logins=logins))
    assert found == ["1 committed, but not published: never", "1 committed, but without an effect: never"]


def test_a_ledger_knows_the_last_attempt_of_each_event(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    journal = Journal(path)
    will_commit(journal, "plain", ["one", "two"])
    has_rolled_back(journal, "serialization", ["one", "two"])
    will_commit(journal, "plain", ["one", "two"])
    has_committed(journal, ["one", "two"])
    has_rolled_back(journal, "wanted", ["three"])
    will_commit(journal, "held-open", ["four", "five"])
    ledger = read_ledger([path])
    assert ledger.events(COMMITTED) == {"one", "two"}
    assert ledger.events(ROLLED_BACK) == {"three"}
    assert ledger.unknown_commits() == [["four", "five"]]
    assert (ledger.commits, dict(ledger.rollbacks)) == (1, {"serialization": 1, "wanted": 1})
