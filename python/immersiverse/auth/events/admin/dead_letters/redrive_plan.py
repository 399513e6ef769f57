"""Which dead letters a redrive sends, and why others stay. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events import catalog
from immersiverse.auth.events.kafka.dead_letters import REDRIVES_HEADER

if TYPE_CHECKING:
    from collections.abc import Container

    from immersiverse.auth.events.admin.dead_letters.dead_letter import (
        DeadLetter,
        DeadLetterFilter,
        DeadLetterId,
        Headers,
    )

CONTRACT_TOPICS: Final = frozenset((*catalog.TOPICS, catalog.SINGLE_TOPIC))
"""Topics that a redrive may write to by default: those of both routing modes."""

_INTERNAL: Final = "__"  # prefix of Kafka's internal topics


class RedriveStatus(StrEnum):
    """What a redrive does with one dead letter. All but `REDRIVE` stay in the dead letter topic."""

    REDRIVE = "redrive"
    """Sent back to its topic."""
    DONE = "done"
    """Sent back by an earlier redrive."""
    FILTERED = "filtered"
    """Left out by the filter; a later redrive may send it."""
    MAX_REDRIVES = "max-redrives"
    """Sent back so often that another time is unlikely to help."""
    NO_ORIGIN_TOPIC = "no-origin-topic"
    """No header names a topic that exists and that a redrive may write to."""
    STUB = "stub"
    """Its value was too large for the dead letter topic; the original is in its topic."""
    FAILED = "failed"
    """Refused by its topic; a later redrive may send it."""


@dataclass(frozen=True, slots=True)
class RedrivePlan:
    """Which dead letters to send back.

    Attributes:
        wanted: the filter.
        max_redrives: how often a dead letter may be sent back in all.
        allowed_topics: topics that a redrive may write to besides the contract's. Where a dead letter came
            from is what its header says, and any client that may write to the dead letter topic can set it.
    """

    wanted: DeadLetterFilter
    max_redrives: int = 3
    allowed_topics: tuple[str, ...] = ()

    def decide(
        self, dead_letter: DeadLetter, done: Container[DeadLetterId], topics: Container[str]
    ) -> tuple[RedriveStatus, str]:
        """What to do with a dead letter, and why, if it is a stub or has no topic to go to.

        Args:
            dead_letter: the dead letter.
            done: those that were redriven already.
            topics: the topics that exist, without the dead letter topic.
        """
        if dead_letter.id in done:
            return RedriveStatus.DONE, ""
        if not self.wanted.accepts(dead_letter):
            return RedriveStatus.FILTERED, ""
        if dead_letter.is_stub:
            return RedriveStatus.STUB, (
                f"only a stub is here: its value of {dead_letter.original_size} bytes was too large; "
                f"the original is {dead_letter.origin}, until that topic's retention ends"
            )
        if reason := self._why_not_to(dead_letter.topic, topics):
            return RedriveStatus.NO_ORIGIN_TOPIC, reason
        too_often = dead_letter.redrives >= self.max_redrives
        return RedriveStatus.MAX_REDRIVES if too_often else RedriveStatus.REDRIVE, ""

    def _why_not_to(self, topic: str, topics: Container[str]) -> str:
        if not topic:
            return "no header names the topic that it came from"
        if topic.startswith(_INTERNAL):
            return f"{topic} is one of Kafka's internal topics"
        if topic not in CONTRACT_TOPICS and topic not in self.allowed_topics:
            return f"{topic} is not a topic of the contract; to send it there: --allow-topic {topic}"
        return "" if topic in topics else f"{topic} does not exist, or is the dead letter topic"


def redrive_headers(dead_letter: DeadLetter) -> Headers:
    """The headers that a dead letter is sent with: the original ones, and the count of redrives."""
    return (*dead_letter.original_headers, (REDRIVES_HEADER, str(dead_letter.redrives + 1).encode()))
