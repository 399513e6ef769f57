"""What must hold in the end, whatever went wrong: pure, so that it is tested by facts that break it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chaos.account import Account
from chaos.effects import Effect
from chaos.subscribing import WITH_INBOX, WITHOUT_INBOX
from chaos.topic_log import Place, dead_letter_for


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run left behind.

    Attributes:
        account: what the publisher knows.
        poison: the unreadable messages that were acknowledged.
        log: what is in the topics: an event's id or a poison's text by its place.
        dead_letters: the names of all dead letters.
        applied: what the subscribers with an inbox did, in order.
        handled: what the subscribers without an inbox did, in order.
        early: what was found committed before it was handled.
        newcomers: what was acknowledged to a new publisher, and was not in the log of its topic.
    """

    account: Account
    poison: set[str]
    log: Mapping[Place, str]
    dead_letters: Sequence[str]
    applied: Sequence[Effect]
    handled: Sequence[Effect]
    early: Sequence[str]
    newcomers: Sequence[str]


def broken(facts: Facts) -> list[str]:
    """Each promise that was not kept, with examples; empty if all were."""
    found = {
        "acknowledged, but not in the log": facts.account.acknowledged - set(facts.log.values()),
        "acknowledged to a new publisher, but not in the log": facts.newcomers,
        "lost with the inbox": lost(facts, facts.applied),
        "lost without an inbox": lost(facts, facts.handled),
        "applied twice with the inbox": repeated(facts.applied),
        "out of order with the inbox": out_of_order(facts.applied),
        "first handled out of order without an inbox": out_of_order(first_ones(facts.handled)),
        "in the log out of order": out_of_order(first_ones(_in_log(facts))),
        "handled, but never published": _unheard_of(facts),
        "poison without a dead letter": poison_without_dead_letter(facts),
        "readable events among the dead letters": _dead_letters_without_poison(facts),
        "committed, but not handled": facts.early,
    }
    return [f"{len(cases)} {promise}: {_some(cases)}" for promise, cases in found.items() if cases]


def lost(facts: Facts, effects: Iterable[Effect]) -> set[str]:
    """What was acknowledged, or is in the log though the publisher does not know, and has no effect."""
    readable = set(facts.log.values()) - facts.poison
    return (facts.account.acknowledged | readable & set(facts.account.chapters)) - _ids(effects)


def repeated(effects: Iterable[Effect]) -> dict[str, int]:
    """The events with more than one effect."""
    return {id: count for id, count in Counter(e.event_id for e in effects).items() if count > 1}  # noqa: A001 - its name


def out_of_order(effects: Iterable[Effect]) -> list[Effect]:
    """The events that came after a later one of their topic and user, or twice."""
    last: dict[tuple[str, str], int] = {}
    late = []
    for effect in effects:
        stream = effect.topic, effect.user
        if effect.version <= last.get(stream, 0):
            late.append(effect)
        last[stream] = max(effect.version, last.get(stream, 0))
    return late


def first_ones(effects: Iterable[Effect]) -> Iterator[Effect]:
    """The effects without repeats."""
    seen: set[str] = set()
    for effect in effects:
        if effect.event_id not in seen:
            seen.add(effect.event_id)
            yield effect


def poison_without_dead_letter(facts: Facts) -> list[str]:
    """The dead letters that are missing, one a group and message; and messages that are not in the log."""
    dead_letters = set(facts.dead_letters)
    wanted = [
        dead_letter_for(group, place, name)
        for group in (WITH_INBOX, WITHOUT_INBOX)
        for place, name in facts.log.items()
        if name in facts.poison
    ]
    return [dead_letter for dead_letter in wanted if dead_letter not in dead_letters] + sorted(
        facts.poison - set(facts.log.values())
    )


def _dead_letters_without_poison(facts: Facts) -> list[str]:
    return [
        dead_letter
        for dead_letter in facts.dead_letters
        if not dead_letter.rpartition(" ")[2].startswith("poison-")
    ]


def _unheard_of(facts: Facts) -> set[str]:
    return (_ids(facts.applied) | _ids(facts.handled)) - set(facts.account.chapters)


def _in_log(facts: Facts) -> Iterator[Effect]:
    """The log as if each message in it were an effect; a user's messages are all in one partition."""
    for (topic, _, _), name in sorted(facts.log.items()):
        if chapter := facts.account.chapters.get(name):
            yield Effect(name, topic, chapter.user, chapter.version)


def _ids(effects: Iterable[Effect]) -> set[str]:
    return {effect.event_id for effect in effects}


def _some(cases: Iterable[object]) -> str:
    return ", ".join(map(str, list(cases)[:5]))
