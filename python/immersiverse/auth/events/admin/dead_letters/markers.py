"""Markers: how the dead letter topic records which dead letters were redriven. Pure.

A marker is a message that follows its dead letter in the same partition, so retention deletes the dead
letter first: as long as a dead letter exists, so does the record of its redrive. Committed offsets could not
do this: they cannot skip single messages that a filter left out, and Kafka deletes those of an idle group
after a week.

A message may claim to be a marker: its producer chose its key and headers, and a consumer that cannot process
it copies both to the dead letter topic. So a marker counts only in the partition of its dead letter and after
it, and only without the header for the original topic, which every dead letter has. Forgery by a client that
may write to the dead letter topic itself cannot be detected, nor can dead letters of a foreign consumer that
copies messages without that header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterId
from immersiverse.auth.events.kafka.dead_letters import MARKER_HEADER, ORIGINAL_TOPIC_HEADER
from immersiverse.auth.events.serialization.headers import headers_of

if TYPE_CHECKING:
    from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetter, Headers
    from immersiverse.auth.events.kafka.record import Record

_KEY: Final = f"{MARKER_HEADER}/".encode()


def marker_for(dead_letter: DeadLetter, *, partition: int, offset: int) -> tuple[bytes, bytes, Headers]:
    """The marker of a dead letter that was sent to a partition of its topic, and got an offset there.

    Returns:
        The marker's key, with the dead letter's id, so that compaction keeps one for each dead letter; its
        value, JSON for people; and its headers. It belongs into the dead letter's partition.
    """
    name = str(dead_letter.id)
    sent = {
        "deadLetter": name,
        "topic": dead_letter.topic,
        "partition": partition,
        "offset": offset,
        "redrives": dead_letter.redrives + 1,
    }
    return _KEY + name.encode(), orjson.dumps(sent), ((MARKER_HEADER, name.encode()),)


def redriven_id(record: Record) -> DeadLetterId | None:
    """The id of the dead letter that a marker names; None if the message is not a marker."""
    # The key decides for nearly all messages, without reading the many headers of a dead letter.
    key = record.key()
    if key is None or not key.startswith(_KEY):
        return None
    headers = dict(headers_of(record))
    name = headers.get(MARKER_HEADER)
    if name is None or key != _KEY + name or ORIGINAL_TOPIC_HEADER in headers:
        return None
    found = DeadLetterId.parse(name.decode(errors="replace"))
    if found is None or found.partition != record.partition() or found.offset >= record.offset():
        return None
    return found
