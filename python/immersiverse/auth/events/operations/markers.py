"""How the dead letter topic remembers what was sent back: a marker after the letter, in its partition. Pure.

A marker comes after its letter, so retention takes the letter first: as long as a letter is there, so is the
memory of its redrive. A consumer group's offsets could not do that: they cannot tell apart letters that a
filter left out, and Kafka forgets an idle group after a week.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from immersiverse.auth.events.operations.dead_letters import LetterId, headers_of, last_header

if TYPE_CHECKING:
    from confluent_kafka import Message

    from immersiverse.auth.events.operations.dead_letters import DeadLetter, Headers

MARKER_HEADER: Final = "auth-events-redriven"
"""Names the letter, and tells its marker from letters."""

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


def marked_letter(headers: Headers) -> LetterId | None:
    """Which letter a message marks; None if it is no marker."""
    name = last_header(headers, MARKER_HEADER)
    return None if name is None else LetterId.parse(name.decode(errors="replace"))


def is_marker(message: Message) -> bool:
    """Whether a message is a marker."""
    # Most messages are letters, whose many headers need not be read to see that they are.
    key: Any = message.key()
    begins_like_one = key is not None and key.startswith(_KEY)
    return begins_like_one and last_header(headers_of(message), MARKER_HEADER) is not None


class MarkedLetters:
    """Which letters are marked, by the markers that were met."""

    def __init__(self) -> None:
        self._offsets: dict[int, set[int]] = {}

    def note(self, message: Message) -> None:
        """Remember which letter a message marks, if it is a marker."""
        letter = marked_letter(headers_of(message)) if is_marker(message) else None
        if letter is not None:
            self._offsets.setdefault(letter.partition, set()).add(letter.offset)

    def __contains__(self, letter: object) -> bool:
        return isinstance(letter, LetterId) and letter.offset in self._offsets.get(letter.partition, ())
