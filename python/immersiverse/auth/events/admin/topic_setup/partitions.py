"""Where keys land, how many move when partitions are added, and how many partitions a load needs. Pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import NAMESPACE_OID, uuid5

SAMPLE_KEYS: Final = 10_000
"""User ids that are simulated."""
STEP: Final = 12
"""Advice is a multiple of it, which 2, 3, 4, 6 or 12 consumers share evenly."""
_MOST: Final = 4_000  # partitions; beyond, a topic's brokers are the question
_SEED: Final = 0x9747B28C
_MULTIPLIER: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Kafka's hash of a key, without a sign: MurmurHash2 with the seed of Java's client."""
    value = _SEED ^ len(key)
    whole = len(key) & ~3
    for start in range(0, whole, 4):
        part = int.from_bytes(key[start : start + 4], "little") * _MULTIPLIER & _MASK
        part = (part ^ part >> 24) * _MULTIPLIER & _MASK
        value = (value * _MULTIPLIER & _MASK) ^ part
    if rest := key[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * _MULTIPLIER & _MASK
    value = (value ^ value >> 13) * _MULTIPLIER & _MASK
    return value ^ value >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key, by the partitioner ``murmur2_random`` and by Java's default."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


@cache
def _sample_hashes() -> tuple[int, ...]:
    keys = (str(uuid5(NAMESPACE_OID, str(number))).encode() for number in range(SAMPLE_KEYS))
    return tuple(murmur2(key) & 0x7FFFFFFF for key in keys)


def moved_keys(before: int, after: int) -> int:
    """How many of `SAMPLE_KEYS` user ids land in another partition when their number changes."""
    return sum(found % before != found % after for found in _sample_hashes())


def busiest_share(users: int, partitions: int) -> float:
    """The share of events that the busiest partition gets, if all users are equally active.

    Simulated with at most `SAMPLE_KEYS` users; with more, the deviation from the mean shrinks with the square
    root of their number.
    """
    sample = _sample_hashes()[: min(users, SAMPLE_KEYS)]
    most = max(Counter(found % partitions for found in sample).values()) / len(sample)
    mean = 1 / partitions
    return mean + (most - mean) * math.sqrt(len(sample) / users)


@dataclass(frozen=True, slots=True)
class TopicLoad:
    """What a topic and its consumers must bear.

    Attributes:
        users: how many are active; their ids are the keys.
        events_per_second: on the topic, at the usual peak.
        headroom: by how much consumers must be faster, to catch up and to grow.
        events_per_consumer: how many events a second one consumer process handles.
    """

    users: int
    events_per_second: float
    headroom: float
    events_per_consumer: float

    @property
    def capacity(self) -> float:
        """Events a second that all consumers together must be able to handle."""
        return self.events_per_second * self.headroom


@dataclass(frozen=True, slots=True)
class PartitionAdvice:
    """How many partitions a topic needs, and what follows from that.

    Attributes:
        consumers: how many processes the load takes, if it is spread evenly.
        partitions: how many partitions are advised.
        busiest: events a second of the busiest partition, headroom included.
        enough: whether one consumer keeps up with the busiest partition.
    """

    consumers: int
    partitions: int
    busiest: float
    enough: bool


def advise(load: TopicLoad) -> PartitionAdvice:
    """The least multiple of `STEP` with which one consumer keeps up with the busiest partition."""
    consumers = math.ceil(load.capacity / load.events_per_consumer)
    first = math.ceil(consumers / STEP) * STEP
    for partitions in range(first, max(first, min(load.users, _MOST)) + 1, STEP):
        busiest = busiest_share(load.users, partitions) * load.capacity
        if busiest <= load.events_per_consumer:
            return PartitionAdvice(consumers, partitions, busiest, enough=True)
    busiest = busiest_share(load.users, first) * load.capacity
    return PartitionAdvice(consumers, first, busiest, enough=False)
