"""What must hold in the end, whatever went wrong: pure, so that it is tested by facts that break it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from chaos.effects import Effect
from chaos.outbox.ledger import COMMITTED, ROLLED_BACK, Ledger
from chaos.verdict import first_ones, repeated


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run left behind.

    Attributes:
        ledger: what the writers know.
        outbox: the rows of the outbox, in order: the truth about what was committed.
        logins: the events whose other row, of the same transaction, is in the database.
        wire: the messages in Kafka, each partition in order.
        applied: what the subscriber did, in order.
        set_aside: how many rows the relays set aside; none is refused here.
        afterwards: how many messages were sent when nothing was left to send.
    """

    ledger: Ledger
    outbox: Sequence[Effect]
    logins: Collection[str]
    wire: Sequence[Effect]
    applied: Sequence[Effect]
    set_aside: int
    afterwards: int


def broken(facts: Facts) -> list[str]:
    """Each promise that was not kept, with examples; empty if all were."""
    outbox, wire, applied = (ids(each) for each in (facts.outbox, facts.wire, facts.applied))
    found: dict[str, Collection[object]] = {
        "committed, but not in the outbox": facts.ledger.events(COMMITTED) - outbox,
        "rolled back, but in the outbox": facts.ledger.events(ROLLED_BACK) & outbox,
        "in the outbox, but of no writer": outbox - set(facts.ledger.outcomes),
        "without the row that they are about, or that row without them": outbox ^ set(facts.logins),
        "numbered with a gap or out of order": out_of_order(facts.outbox),
        "committed, but not published": outbox - wire,
        "published, but not committed": wire - outbox,
        "published as something else": set(facts.wire) - set(facts.outbox),
        "first published out of order or after a gap": out_of_order(first_ones(facts.wire)),
        "committed, but without an effect": outbox - applied,
        "applied, but not committed": applied - outbox,
        "applied more than once": repeated(facts.applied),
        "applied out of order or after a gap": out_of_order(facts.applied),
        "set aside": range(facts.set_aside),
        "sent when nothing was left": range(facts.afterwards),
    }
    return [f"{len(cases)} {promise}: {_some(cases)}" for promise, cases in found.items() if cases]


def out_of_order(effects: Iterable[Effect]) -> list[Effect]:
    """The events that do not have the version after the last one of their user; the first is 1."""
    last: dict[str, int] = {}
    found = []
    for effect in effects:
        if effect.version != last.get(effect.user, 0) + 1:
            found.append(effect)
        last[effect.user] = effect.version
    return found


def ids(effects: Iterable[Effect]) -> set[str]:
    """The ids of events."""
    return {effect.event_id for effect in effects}


def _some(cases: Iterable[object]) -> str:
    return ", ".join(map(str, list(cases)[:5]))
