"""One run of chaos, from the first broker to the verdict."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chaos.account import read_account
from chaos.conductor import Conductor
from chaos.early_commits import EarlyCommits
from chaos.effects import applied, written_down
from chaos.faults import LATER, ONCE
from chaos.journal import read_journal
from chaos.machines import machines
from chaos.report import Report, report
from chaos.stage import Stage, staged
from chaos.verdict import Facts, broken
from chaos.worker import Trouble, Worker

PACE = 500  # events a second
_PATIENCE = 180.0  # seconds for groups to be done after the last fault


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        report: in figures.
        broken: the promises that were not kept.
    """

    report: Report
    broken: list[str]


def run(*, seconds: float, seed: int, protocol: str = "classic", pace: int = PACE) -> Outcome:
    """Start everything, let things go wrong for so long, and judge what is left.

    Raises:
        StackError: Kafka or the registry cannot be started.
        TimeoutError: the cluster does not recover.
        Trouble: something went wrong that was not staged: a process died, or a group does not recover.
    """
    random = Random(seed)
    with (
        machines() as started,
        tempfile.TemporaryDirectory(prefix="auth-events-chaos-") as folder,
        staged(started, Path(folder), random, pace, protocol) as stage,
    ):
        conductor = Conductor(stage, random, ONCE, LATER, stage.poison.sprinkle)
        began = time.monotonic()
        early = EarlyCommits(stage)
        with early.watching():
            conductor.run(seconds)
        calm = time.monotonic()
        _settle(stage)
        settled = time.monotonic()
        early.look()
        facts = _facts(stage, early)
        summary = report(
            facts,
            seed=seed,
            seconds=calm - began,
            catch_up_seconds=settled - calm,
            faults=conductor.faults,
            impossible=started.impossible(),
            drops=Counter(line[0] for line in read_journal(stage.folder / "drops", words=1)),
            looks=early.looks,
            newcomers=[int(line[1]) for line in read_journal(stage.folder / "newcomers") if line[0] == "A"],
        )
        return Outcome(summary, broken(facts))


def _settle(stage: Stage) -> None:
    """End the publisher, let the groups finish, and end them."""
    stage.cluster.wait_until_ready()
    for guest in stage.guests:
        guest.await_end(_PATIENCE)
    stage.poison.finish()
    _end(stage.publisher, stage.newcomers)
    _await_groups(stage)
    _end(*stage.subscribers)


def _end(*workers: Worker) -> None:
    for worker in workers:
        worker.ask_to_stop()
    for worker in workers:
        worker.await_end(_PATIENCE)


def _await_groups(stage: Stage) -> None:
    until = time.monotonic() + _PATIENCE
    ends = stage.events.catch_up()
    while any(lags := {name: group.lag(ends) for name, group in stage.groups.items()}.values()):
        for subscriber in stage.subscribers:
            subscriber.require_alive()
        if time.monotonic() > until:
            words = "\n".join(subscriber.last_words() for subscriber in stage.subscribers)
            raise Trouble(f"the groups do not catch up, they lag by {list(lags)}:\n{words}")
        time.sleep(0.2)


def _facts(stage: Stage, early: EarlyCommits) -> Facts:
    return Facts(
        account=read_account(stage.account),
        poison=stage.poison.acknowledged,
        log=stage.events.names,
        dead_letters=list(stage.dead_letters.names.values()),
        applied=applied(stage.database),
        handled=written_down(stage.folder / "handled"),
        early=early.found,
        newcomers=[line[1] for line in read_journal(stage.folder / "newcomers") if line[0] == "L"],
    )
