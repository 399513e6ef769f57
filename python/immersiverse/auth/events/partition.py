"""One partition of a topic, as every part of this package names it."""

from __future__ import annotations

from typing import NamedTuple


class Partition(NamedTuple):
    """A topic and a partition number. It equals, and hashes like, the plain tuple of both.

    Attributes:
        topic: the topic.
        number: the partition's number in the topic, from 0.
    """

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.number}"
