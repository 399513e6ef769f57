"""What becomes of each dead letter when letters are sent back: the decision, and the message. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from immersiverse.auth.events.kafka.dead_letters import REDRIVES_HEADER
from immersiverse.auth.events.operations.dead_letters import original_headers

if TYPE_CHECKING:
    from collections.abc import Container

    from immersiverse.auth.events.operations.dead_letters import DeadLetter, Headers, LetterId
    from immersiverse.auth.events.operations.letter_filter import LetterFilter

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
    """No header names a topic that it could go back to: it stays."""
    FAILED = "failed"
    """Its topic did not take it: it stays, and a later redrive may send it."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """Which letters are to be sent back.

    Attributes:
        wanted: which are meant.
        max_rounds: how often a letter may be sent back in all.
    """

    wanted: LetterFilter
    max_rounds: int = 3

    def fate(self, letter: DeadLetter, done: Container[LetterId], topics: Container[str]) -> Fate:
        """What becomes of a letter.

        Args:
            letter: the letter.
            done: which letters were sent back already.
            topics: the topics that it may go to.
        """
        if letter.id in done:
            return Fate.DONE
        if not self.wanted.accepts(letter):
            return Fate.FILTERED
        if letter.topic not in topics or letter.topic.startswith(_INTERNAL):
            return Fate.HOMELESS
        return Fate.WORN_OUT if letter.redrives >= self.max_rounds else Fate.REDRIVE


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
