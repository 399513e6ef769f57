"""Which dead letters a redrive sends, why others stay, and the message that is sent. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events import catalog
from immersiverse.auth.events.kafka.dead_letter_headers import REDRIVES_HEADER

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

    def status(
        self, dead_letter: DeadLetter, done: Container[DeadLetterId], topics: Container[str]
    ) -> RedriveStatus:
        """What to do with a dead letter.

        Args:
            dead_letter: the dead letter.
            done: those that were redriven already.
            topics: the topics that exist, without the dead letter topic.
        """
        if dead_letter.id in done:
            return RedriveStatus.DONE
        if not self.wanted.accepts(dead_letter):
            return RedriveStatus.FILTERED
        if dead_letter.is_stub:
            return RedriveStatus.STUB
        if dead_letter.topic not in topics or not self._may_write(dead_letter.topic):
            return RedriveStatus.NO_ORIGIN_TOPIC
        if dead_letter.redrives >= self.max_redrives:
            return RedriveStatus.MAX_REDRIVES
        return RedriveStatus.REDRIVE

    def reason(self, dead_letter: DeadLetter, status: RedriveStatus) -> str:
        """Why a stub, or a dead letter without a topic to go to, stays; empty for any other status."""
        if status is RedriveStatus.STUB:
            return (
                f"only a stub is here: its value of {dead_letter.original_size} bytes was too large; "
                f"the original is {dead_letter.origin}, until that topic's retention ends"
            )
        if status is RedriveStatus.NO_ORIGIN_TOPIC:
            return self._topic_reason(dead_letter.topic)
        return ""

    def _topic_reason(self, topic: str) -> str:
        if not topic:
            return "no header names the topic that it came from"
        if topic.startswith(_INTERNAL):
            return f"{topic} is one of Kafka's internal topics"
        if self._may_write(topic):
            return f"{topic} does not exist, or is the dead letter topic"
        return f"{topic} is not a topic of the contract; to send it there: --allow-topic {topic}"

    def _may_write(self, topic: str) -> bool:
        known = topic in CONTRACT_TOPICS or topic in self.allowed_topics
        return known and not topic.startswith(_INTERNAL)


@dataclass(frozen=True, slots=True)
class RedriveMessage:
    """The message that a redrive sends: the original, with one more header.

    Attributes:
        topic: the topic that it came from.
        key: unchanged.
        value: unchanged.
        headers: the original ones, and the count of redrives.
        redrives: that count.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    redrives: int


def redrive_message(dead_letter: DeadLetter) -> RedriveMessage:
    """The message to send for a dead letter."""
    redrives = dead_letter.redrives + 1
    headers = (*dead_letter.original_headers, (REDRIVES_HEADER, str(redrives).encode()))
    return RedriveMessage(dead_letter.topic, dead_letter.key, dead_letter.value, headers, redrives)
