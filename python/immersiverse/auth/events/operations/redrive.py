"""What becomes of each dead letter when letters are sent back: the decision, and the message. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events import catalog
from immersiverse.auth.events.kafka.dead_letters import REDRIVES_HEADER
from immersiverse.auth.events.operations.dead_letters import original_headers

if TYPE_CHECKING:
    from collections.abc import Container

    from immersiverse.auth.events.operations.dead_letters import DeadLetter, Headers, LetterId
    from immersiverse.auth.events.operations.letter_filter import LetterFilter

CONTRACT_TOPICS: Final = frozenset((*catalog.TOPICS, catalog.SINGLE_TOPIC))
"""Where a redrive may send without being asked to: the topics of both routing modes."""

_INTERNAL = "__"  # how the names of Kafka's own topics begin


class Fate(StrEnum):
    """What a redrive does about one letter."""

    REDRIVE = "redrive"
    """It goes back to its topic."""
    DONE = "done"
    """An earlier redrive sent it back."""
    FILTERED = "filtered"
    """The filter leaves it out: it stays, and a later redrive may send it."""
    WORN_OUT = "worn-out"
    """It was sent back so often that once more is unlikely to help: it stays."""
    HOMELESS = "homeless"
    """No header names a topic that it could, or may, go back to: it stays."""
    STUB = "stub"
    """Its value is not here, since it was too large: it stays. The original is in its own topic."""
    FAILED = "failed"
    """Its topic did not take it: it stays, and a later redrive may send it."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """Which letters are to be sent back.

    Attributes:
        wanted: which are meant.
        max_rounds: how often a letter may be sent back in all.
        allowed_topics: where letters may go beside the contract's topics. A header says where a letter came
            from, and anyone who may write the dead letter topic may have written any name there.
    """

    wanted: LetterFilter
    max_rounds: int = 3
    allowed_topics: tuple[str, ...] = ()

    def fate(self, letter: DeadLetter, done: Container[LetterId], topics: Container[str]) -> Fate:
        """What becomes of a letter.

        Args:
            letter: the letter.
            done: which letters were sent back already.
            topics: the topics that exist, without that of the dead letters.
        """
        if letter.id in done:
            return Fate.DONE
        if not self.wanted.accepts(letter):
            return Fate.FILTERED
        if letter.is_stub:
            return Fate.STUB
        if letter.topic not in topics or not self._may_go_to(letter.topic):
            return Fate.HOMELESS
        return Fate.WORN_OUT if letter.redrives >= self.max_rounds else Fate.REDRIVE

    def reason(self, letter: DeadLetter, fate: Fate) -> str:
        """Why a letter stays that has no topic to go to, or no value; empty for any other fate."""
        if fate is Fate.STUB:
            return (
                f"only a stub is here, its value of {letter.original_size} bytes was too large; "
                f"the original is {letter.origin}, until that topic's retention ends"
            )
        if fate is not Fate.HOMELESS:
            return ""
        if not letter.topic:
            return "no header says which topic it came from"
        if letter.topic.startswith(_INTERNAL):
            return f"{letter.topic} is one of Kafka's own topics"
        if self._may_go_to(letter.topic):
            return f"{letter.topic} does not exist, or is the dead letter topic"
        return f"{letter.topic} is not a topic of the contract; --allow-topic {letter.topic} lets it go there"

    def _may_go_to(self, topic: str) -> bool:
        known = topic in CONTRACT_TOPICS or topic in self.allowed_topics
        return known and not topic.startswith(_INTERNAL)


@dataclass(frozen=True, slots=True)
class Redriven:
    """A letter as it goes back: the message that it was, and one header more.

    Attributes:
        topic: where it came from.
        key: as it was.
        value: as it was.
        headers: as they were, and the count of redrives.
        redrives: that count.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    redrives: int


def redriven(letter: DeadLetter) -> Redriven:
    """The message that a letter goes back as."""
    redrives = letter.redrives + 1
    headers = (*original_headers(letter.headers), (REDRIVES_HEADER, str(redrives).encode()))
    return Redriven(letter.topic, letter.key, letter.value, headers, redrives)
