"""One run of chaos around an outbox, from the first process to the verdict."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from chaos.conductor import Conductor
from chaos.effects import applied
from chaos.journal import read_journal
from chaos.outbox.faults import LATER, ONCE
from chaos.outbox.ledger import ROLLED_BACK, read_ledger
from chaos.outbox.restoring import Restore, restore
from chaos.outbox.stage import OutboxStage, staged
from chaos.outbox.verdict import Facts, broken, ids
from chaos.outbox.wire import in_the_outbox, published
from chaos.worker import Trouble, Worker
from immersiverse.auth.events import OutboxTables
from immersiverse.auth.events.outbox.status import backlog

_PATIENCE = 120.0  # seconds for relays and subscriber to be done after the last fault
_QUIET = 3.0  # seconds in which nothing may be sent any more


@dataclass(frozen=True, slots=True)
class Report:
    """What a run amounts to.

    Attributes:
        seed: repeats the choice of faults.
        seconds: how long things went wrong.
        catch_up_seconds: how long it took until everything was applied after that.
        faults: how often what went wrong.
        restored: the dump and restore in the middle.
        kinds: how many commits were asked for, by the kind of transaction.
        commits: how many transactions committed, as the writers know.
        rollbacks: how many were rolled back, by reason.
        unknown: how many commits had an outcome that the writer never learned, and how many of them happened.
        events: how many are in the outbox in the end.
        rolled_back_events: how many must not be anywhere.
        repeats_on_the_wire: how many messages repeat an event that was sent before.
        applied: how many effects there are.
        duplicates_dropped: how many messages the inbox dropped, redelivered ones included.
        broken: how many promises were not kept.
    """

    seed: int
    seconds: float
    catch_up_seconds: float
    faults: Mapping[str, int]
    restored: Restore
    kinds: Mapping[str, int]
    commits: int
    rollbacks: Mapping[str, int]
    unknown: tuple[int, int]
    events: int
    rolled_back_events: int
    repeats_on_the_wire: int
    applied: int
    duplicates_dropped: int
    broken: int

    def line(self) -> str:
        """The report as one line of JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        report: in figures.
        broken: the promises that were not kept.
    """

    report: Report
    broken: list[str]


def run(*, seconds: float, seed: int, folder: Path) -> Outcome:
    """Start everything, let things go wrong for so long, with a restore in the middle, and judge the rest.

    Args:
        seconds: for how long things go wrong.
        seed: which things.
        folder: where journals and logs are left.

    Raises:
        StackError: Kafka or PostgreSQL cannot be started.
        TimeoutError: Kafka does not recover.
        Trouble: something went wrong that was not staged: a process died, or events do not arrive.
    """
    random = Random(seed)
    with staged(folder) as stage:
        conductor = Conductor(stage, random, ONCE, LATER)
        conductor.run(seconds / 2)
        stage.cluster.wait_until_ready()
        end(*stage.writers)
        restored = restore(stage)
        for writer in stage.writers:
            writer.start()
        conductor.run(seconds / 2)
        calm = time.monotonic()
        afterwards = settle(stage)
        caught_up = time.monotonic() - calm - _QUIET
        facts = _facts(stage, afterwards)
        dropped = sum(1 for _ in read_journal(stage.folder / "drops", words=1))
        return _outcome(facts, restored, conductor.faults, dropped, (seed, seconds, caught_up))


def settle(stage: OutboxStage) -> int:
    """End the writers, wait until everything is applied, and end the others; what was sent after that."""
    stage.cluster.wait_until_ready()
    end(*stage.writers)
    _wait(stage, "the outbox is not relayed", lambda: backlog(stage.engine, OutboxTables()).rows == 0)
    _wait(stage, "the group does not catch up", lambda: not stage.group.lag(stage.wire.catch_up()))
    before = len(stage.wire.names)
    time.sleep(_QUIET)
    stage.wire.catch_up()
    end(*stage.relays, stage.subscriber)
    return len(stage.wire.names) - before


def end(*workers: Worker) -> None:
    """End processes in order."""
    for worker in workers:
        worker.ask_to_stop()
    for worker in workers:
        worker.await_end(_PATIENCE)


def _wait(stage: OutboxStage, problem: str, is_done: Callable[[], bool]) -> None:
    workers = (*stage.relays, stage.subscriber)
    until = time.monotonic() + _PATIENCE
    while not is_done():
        for worker in workers:
            worker.require_alive()
        if time.monotonic() > until:
            raise Trouble("\n".join([problem, *(worker.last_words() for worker in workers)]))
        time.sleep(0.3)


def _facts(stage: OutboxStage, afterwards: int) -> Facts:
    with stage.engine.connect() as connection:
        return Facts(
            ledger=read_ledger(stage.journals),
            outbox=in_the_outbox(connection),
            logins=set(connection.exec_driver_sql("SELECT event_id FROM logins").scalars()),
            wire=published(stage.wire),
            applied=applied(stage.effects),
            set_aside=backlog(stage.engine, OutboxTables()).set_aside,
            afterwards=afterwards,
        )


def _outcome(
    facts: Facts, restored: Restore, faults: Counter[str], dropped: int, times: tuple[int, float, float]
) -> Outcome:
    seed, seconds, caught_up = times
    promises = broken(facts)
    unknown = facts.ledger.unknown_commits()
    found = ids(facts.outbox)
    report = Report(
        seed=seed,
        seconds=round(seconds, 1),
        catch_up_seconds=round(caught_up, 1),
        faults=dict(faults),
        restored=restored,
        kinds=dict(facts.ledger.kinds),
        commits=facts.ledger.commits,
        rollbacks=dict(facts.ledger.rollbacks),
        unknown=(len(unknown), sum(each[0] in found for each in unknown)),
        events=len(facts.outbox),
        rolled_back_events=len(facts.ledger.events(ROLLED_BACK)),
        repeats_on_the_wire=len(facts.wire) - len(ids(facts.wire)),
        applied=len(facts.applied),
        duplicates_dropped=dropped,
        broken=len(promises),
    )
    return Outcome(report, promises)
