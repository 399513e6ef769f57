"""Reads mutated messages and counts how that ends; whatever is no DecodeError is a find."""

from __future__ import annotations

import resource
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import cast

from fuzz.corpus import Message, Schemas, corpus
from fuzz.mutations import mutated
from immersiverse.auth.events.errors import AuthEventsError, DecodeError, InvalidEvent
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.serialization.unknown import Decoded, UnknownEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

Reading = Callable[[Message], Decoded | None]

# Reading makes objects, of some hundred bytes each, out of as little as a byte; errors and caches add to it.
_BYTES_PER_BYTE, _BYTES_AT_LEAST = 120, 20_000
_SAMPLED_EVERY = 500
_MEBIBYTE = 1 << (20 if sys.platform == "darwin" else 10)  # of ru_maxrss, which is in KiB but for macOS


@dataclass
class Outcome:
    """How a campaign ended.

    Attributes:
        inputs: how many messages were read.
        counts: how often each format ended in each way.
        worst_ratio: the greatest share of its allowance in memory that a sampled input took.
        grown: by how many MiB the process's memory rose.
    """

    inputs: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    worst_ratio: float = 0.0
    grown: float = 0.0


_DESERIALIZER = AuthEventDeserializer(Schemas())
_WRITERS = [AuthEventSerializer(Schemas(), format=name).serialize for name in ("protobuf", "json", "avro")]


class Find(AssertionError):
    """An input that ended as none should; it says which, so that it can become a test."""

    def __init__(self, message: Message, what: str) -> None:
        super().__init__(
            f"{what}\nformat: {message.format}\nvalue: {message.value!r}\nheader: {message.header!r}"
        )


def read(message: Message) -> Decoded | None:
    """Read a message as a consumer does."""
    return _DESERIALIZER.deserialize(message.value, headers=message.headers)


def campaign(inputs: int, seed: int, reading: Reading = read) -> Outcome:
    """Read that many mutated messages.

    Raises:
        Find: at the first input that raises what it should not, or takes memory out of proportion.
    """
    random, messages, outcome = Random(seed), corpus(seed), Outcome()
    for message in messages:
        read(message)  # valid, and now all schemas are known
    before = _peak()
    for number in range(inputs):
        message = mutated(random, messages)
        outcome.counts[message.format, _ending(reading, message)] += 1
        if number % _SAMPLED_EVERY == 0:
            outcome.worst_ratio = max(outcome.worst_ratio, _share_of_allowance(reading, message))
    outcome.inputs, outcome.grown = inputs, _peak() - before
    return outcome


def _ending(reading: Reading, message: Message) -> str:
    try:
        event = reading(message)
        if isinstance(event, UnknownEvent):
            event.read()
            return "UnknownEvent"
        for write in _WRITERS:  # on as it came, or not at all
            with suppress(InvalidEvent):
                write(cast("AuthEvent", event))
    except DecodeError as error:
        return type(error).__name__
    except AuthEventsError as error:
        raise Find(message, f"{error!r} is no DecodeError") from error
    except BaseException as error:
        raise Find(message, f"{error!r} is no error of the tree") from error
    return "AuthEvent"


def _share_of_allowance(reading: Reading, message: Message) -> float:
    tracemalloc.start()
    try:
        _ending(reading, message)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    share = peak / (_BYTES_AT_LEAST + _BYTES_PER_BYTE * len(message.value))
    if share > 1:
        raise Find(message, f"{peak} bytes of memory for {len(message.value)} bytes of input")
    return share


def _peak() -> float:
    """The greatest memory that the process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEBIBYTE
