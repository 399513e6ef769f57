"""A run in figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from chaos.verdict import Facts, first_ones, lost, repeated


@dataclass(frozen=True, slots=True)
class Report:
    """What a run amounts to.

    Attributes:
        seed: repeats the choice of faults.
        seconds: how long things went wrong.
        catch_up_seconds: how long it took both groups to be done after that.
        events: how many the publisher was about to publish.
        acknowledged: how many of them a broker acknowledged, in the end.
        failed: how many deliveries failed.
        faults: how often what went wrong.
        impossible: faults that this machine cannot stage.
        duplicates_in_log: how many messages repeat an event that is in the log already.
        duplicates_dropped: how many the inbox dropped as repeats, redelivered ones included.
        stale_dropped: how many the inbox dropped for their version.
        duplicates_applied: how many effects with the inbox are repeats.
        duplicates_handled: how many events were handled again without an inbox.
        dead_letters: how many there are, and how many unreadable messages they stand for.
        commits_looked_at: how many committed offsets were compared with what was handled.
        newcomers: how many new publishers there were, and how many events were acknowledged to them.
        lost: how many events have no effect, in either group, or are not in the log of a new topic.
    """

    seed: int
    seconds: float
    catch_up_seconds: float
    events: int
    acknowledged: int
    failed: int
    faults: Mapping[str, int]
    impossible: Sequence[str]
    duplicates_in_log: int
    duplicates_dropped: int
    stale_dropped: int
    duplicates_applied: int
    duplicates_handled: int
    dead_letters: tuple[int, int]
    commits_looked_at: int
    newcomers: tuple[int, int]
    lost: int

    def line(self) -> str:
        """The report as one line of JSON."""
        return json.dumps(asdict(self))


def report(  # noqa: PLR0913 - a report's figures
    facts: Facts,
    *,
    seed: int,
    seconds: float,
    catch_up_seconds: float,
    faults: Mapping[str, int],
    impossible: Sequence[str],
    drops: Mapping[str, int],
    looks: int,
    newcomers: Sequence[int],
) -> Report:
    """Sum a run up."""
    return Report(
        seed=seed,
        seconds=round(seconds, 1),
        catch_up_seconds=round(catch_up_seconds, 1),
        events=len(facts.account.chapters),
        acknowledged=len(facts.account.acknowledged),
        failed=len(facts.account.failed),
        faults=dict(faults),
        impossible=impossible,
        duplicates_in_log=len(facts.log) - len(set(facts.log.values())),
        duplicates_dropped=drops.get("duplicate", 0),
        stale_dropped=drops.get("stale", 0),
        duplicates_applied=len(repeated(facts.applied)),
        duplicates_handled=len(facts.handled) - len(list(first_ones(facts.handled))),
        dead_letters=(len(facts.dead_letters), len(facts.poison)),
        commits_looked_at=looks,
        newcomers=(len(newcomers), sum(newcomers)),
        lost=len(lost(facts, facts.applied) | lost(facts, facts.handled)) + len(facts.newcomers),
    )
