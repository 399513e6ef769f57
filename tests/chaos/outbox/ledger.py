"""What writers know of their transactions: committed, rolled back, or unknown since the answer was lost.

A line is written before a commit is asked for, so that whatever is committed is in some ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.journal import Journal, read_journal

COMMITTED, ROLLED_BACK, UNKNOWN = "committed", "rolled back", "unknown"


@dataclass(slots=True)
class Ledger:
    """The sum of all writers.

    Attributes:
        outcomes: what is known of each event; the last attempt counts.
        asked: the events of each commit that was asked for.
        commits: how many transactions committed.
        rollbacks: how many did not, by reason.
        kinds: how many commits were asked for, by the kind of transaction.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    asked: list[Sequence[str]] = field(default_factory=list)
    commits: int = 0
    rollbacks: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def events(self, outcome: str) -> set[str]:
        """The events with this outcome."""
        return {event_id for event_id, found in self.outcomes.items() if found == outcome}

    def unknown_commits(self) -> list[Sequence[str]]:
        """The events of each commit whose outcome the writer never learned."""
        unknown = {ids[0]: ids for ids in self.asked if self.outcomes[ids[0]] == UNKNOWN}
        return list(unknown.values())


def will_commit(journal: Journal, kind: str, event_ids: Iterable[str]) -> None:
    """Write down that a commit is about to be asked for."""
    journal.write("P", kind, *event_ids)


def has_committed(journal: Journal, event_ids: Iterable[str]) -> None:
    """Write down that it is committed."""
    journal.write("C", *event_ids)


def has_rolled_back(journal: Journal, reason: str, event_ids: Iterable[str]) -> None:
    """Write down that it is rolled back for sure."""
    journal.write("R", reason, *event_ids)


def will_prepare(journal: Journal, transaction: str, event_ids: Iterable[str]) -> None:
    """Write down which events are in a two-phase transaction."""
    journal.write("T", transaction, *event_ids)


def read_prepared(path: Path) -> dict[str, list[str]]:
    """The events of each two-phase transaction."""
    return {line[1]: line[2:] for line in read_journal(path) if line[0] == "T"}


def read_ledger(paths: Iterable[Path]) -> Ledger:
    """The ledger of some journals."""
    ledger = Ledger()
    for path in paths:
        for line in read_journal(path):
            _add(ledger, line)
    return ledger


def _add(ledger: Ledger, line: list[str]) -> None:
    match line:
        case ["P", kind, *ids] if ids:
            ledger.outcomes.update(dict.fromkeys(ids, UNKNOWN))
            ledger.asked.append(ids)
            ledger.kinds[kind] += 1
        case ["C", *ids]:
            ledger.outcomes.update(dict.fromkeys(ids, COMMITTED))
            ledger.commits += 1
        case ["R", reason, *ids]:
            ledger.outcomes.update(dict.fromkeys(ids, ROLLED_BACK))
            ledger.rollbacks[reason] += 1
