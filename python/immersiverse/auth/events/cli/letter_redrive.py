"""What a redrive does, counted: the plan that is asked about, and what became of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import typer

from immersiverse.auth.events.cli.confirmation import require_yes
from immersiverse.auth.events.cli.failures import VERDICT
from immersiverse.auth.events.cli.letter_progress import letter_progress
from immersiverse.auth.events.cli.output import warn, write_json
from immersiverse.auth.events.operations import redriving
from immersiverse.auth.events.operations.redrive import Fate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.cli.letter_progress import LetterProgress
    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.redrive import Redrive
    from immersiverse.auth.events.operations.redriving import Outcome

_FATES = {
    Fate.DONE: "sent back before",
    Fate.FILTERED: "left out by the filter",
    Fate.WORN_OUT: "sent back too often already",
    Fate.HOMELESS: "without a topic to go to",
    Fate.STUB: "without their value",
    Fate.FAILED: "not taken by their topic",
}

_REASONS_SHOWN = 10  # of letters that have to stay, one line each


class Count:
    """How many letters met which fate, and where those go that are sent."""

    def __init__(self) -> None:
        self.fates: Counter[Fate] = Counter()
        self.topics: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Count one letter."""
        self.fates[outcome.fate] += 1
        if outcome.fate is Fate.REDRIVE:
            self.topics[outcome.letter.topic] += 1

    def sentence(self, verb: str) -> str:
        """All figures, for people."""
        rest = [f"{self.fates[fate]} {words}" for fate, words in _FATES.items() if self.fates[fate]]
        return f"dead letters: {', '.join([f'{self.fates[Fate.REDRIVE]} {verb} back', *rest])}"


def survey(cluster: Cluster, topic: str, plan: Redrive, *, as_json: bool) -> Count:
    """Count what a redrive would do, and say it."""
    with letter_progress(silent=as_json) as progress:
        count = _counted(redriving.survey(cluster, topic, plan, on_read=progress.read), Count())
    _report(count, "would be sent", as_json=as_json)
    return count


def require_agreement(cluster: Cluster, topic: str, plan: Redrive, *, as_json: bool) -> None:
    """Say what a redrive would do, and go on only if there is something to do, and somebody says yes.

    Raises:
        typer.Abort: nothing is said; see `require_yes`.
        typer.Exit: the answer is no, or there is nothing to do.
    """
    count = survey(cluster, topic, plan, as_json=False)
    if not count.topics:
        if as_json:
            _report(count, "sent", as_json=True)
        raise typer.Exit
    where = ", ".join(f"{topic} ({letters})" for topic, letters in sorted(count.topics.items()))
    require_yes(f"Send them back to {where}?")


def carry_out(cluster: Cluster, topic: str, plan: Redrive, *, rate: float | None, as_json: bool) -> None:
    """Send letters back, and say what became of them, also if it ends in the middle.

    Raises:
        typer.Exit: with code 1, at the end, if a topic did not take a letter.
    """
    count = Count()
    try:
        with letter_progress(silent=as_json) as progress:
            outcomes = redriving.carry_out(cluster, topic, plan, rate=rate, on_read=progress.read)
            _counted(outcomes, count, progress)
    except BaseException:
        if count.fates:  # what was done before it failed is done
            warn(f"{count.sentence('sent')}; the others are as they were")
        raise
    _report(count, "sent", as_json=as_json)
    if count.fates[Fate.FAILED]:
        raise typer.Exit(VERDICT)


def _counted(outcomes: Iterator[Outcome], count: Count, progress: LetterProgress | None = None) -> Count:
    for outcome in outcomes:
        count.add(outcome)
        staying = count.fates[Fate.HOMELESS] + count.fates[Fate.STUB]
        if outcome.reason and (outcome.fate is Fate.FAILED or staying <= _REASONS_SHOWN):
            warn(f"letter {outcome.letter.id}: {outcome.reason}")
        if progress is not None:
            progress.done("sent back", count.fates[Fate.REDRIVE])
    return count


def _report(count: Count, verb: str, *, as_json: bool) -> None:
    if as_json:
        write_json({fate.value: count.fates[fate] for fate in Fate})
    else:
        warn(count.sentence(verb))
