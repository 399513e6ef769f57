"""How the dead letter topic remembers what was sent back: a marker after the letter, in its partition. Pure.

A marker comes after its letter, so retention takes the letter first: as long as a letter is there, so is the
memory of its redrive. A consumer group's offsets could not do that: they cannot tell apart letters that a
filter left out, and Kafka forgets an idle group after a week.

A message may claim to be a marker: its writer chose its key and headers, and a consumer that cannot process
it puts both on the dead letter topic. So a marker counts only in the partition of its letter and behind it,
and nothing counts that says where it came from, which every dead letter does. It cannot be known whether one
who may write the dead letter topic made a marker up, or whether another consumer puts messages there as they
are, without saying where they came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from immersiverse.auth.events.kafka.dead_letters import MARKER_HEADER, ORIGINAL_TOPIC_HEADER
from immersiverse.auth.events.operations.dead_letters import LetterId, headers_of

if TYPE_CHECKING:
    from confluent_kafka import Message

    from immersiverse.auth.events.operations.dead_letters import DeadLetter, Headers

_KEY: Final = f"{MARKER_HEADER}/".encode()


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker as it is produced.

    Attributes:
        partition: the letter's partition of the dead letter topic, and its own.
        key: the letter's id, so that a compacted topic keeps one marker a letter.
        value: where the letter went, for people who look.
        headers: the letter's id.
    """

    partition: int
    key: bytes
    value: bytes
    headers: Headers


def marker_of(letter: DeadLetter, *, redrives: int, partition: int, offset: int) -> Marker:
    """The marker of a letter that was sent back.

    Args:
        letter: the letter.
        redrives: its count of redrives, this one included.
        partition: where in its topic it lies now.
        offset: where in that partition.
    """
    name = str(letter.id)
    went = {
        "letter": name,
        "topic": letter.topic,
        "partition": partition,
        "offset": offset,
        "redrives": redrives,
    }
    key = _KEY + name.encode()
    return Marker(letter.id.partition, key, orjson.dumps(went), ((MARKER_HEADER, name.encode()),))


def marked_letter(message: Message) -> LetterId | None:
    """Which letter a message marks as sent back; None if it is no marker."""
    # Most messages are letters, whose many headers need not be read to see that they are.
    key: Any = message.key()
    if key is None or not key.startswith(_KEY):
        return None
    headers = dict(headers_of(message))
    name = headers.get(MARKER_HEADER)
    if name is None or key != _KEY + name or ORIGINAL_TOPIC_HEADER in headers:
        return None
    letter = LetterId.parse(name.decode(errors="replace"))
    if letter is None or letter.partition != message.partition() or letter.offset >= (message.offset() or 0):
        return None
    return letter


class MarkedLetters:
    """Which letters are marked, by the markers that were met."""

    def __init__(self) -> None:
        self._offsets: dict[int, set[int]] = {}

    def note(self, message: Message) -> None:
        """Remember which letter a message marks, if it is a marker."""
        if (letter := marked_letter(message)) is not None:
            self._offsets.setdefault(letter.partition, set()).add(letter.offset)

    def __contains__(self, letter: object) -> bool:
        return isinstance(letter, LetterId) and letter.offset in self._offsets.get(letter.partition, ())
