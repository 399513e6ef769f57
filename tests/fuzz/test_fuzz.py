"""The short form of scripts/fuzz."""

from __future__ import annotations

from random import Random

import pytest

from fuzz.campaign import Find, campaign
from fuzz.corpus import Message, corpus
from fuzz.mutations import mutated
from immersiverse.auth.events import catalog


def test_mutated_messages_are_read_or_refused_with_a_decode_error_in_bounded_memory() -> None:
    outcome = campaign(inputs=20_000, seed=20_250_601)
    endings = {ending for _, ending in outcome.counts}
    assert {"AuthEvent", "UnknownEvent", "MalformedFrame", "MalformedPayload"} <= endings
    assert outcome.grown < 64
    assert {"UnknownFormat", "UnknownSchemaId", "WrongSchema"} <= endings


def test_the_corpus_has_every_event_type_in_every_format() -> None:
    formats = {message.format for message in corpus(seed=1)}
    assert len(formats) == 10
    assert len(corpus(seed=1)) >= len(formats) * len(catalog.EVENT_TYPES)


def test_the_same_seed_gives_the_same_messages() -> None:
    messages = corpus(seed=1)
    one, other = Random(7), Random(7)
    assert [mutated(one, messages) for _ in range(100)] == [mutated(other, messages) for _ in range(100)]


def test_what_is_no_error_of_the_tree_is_found_and_reported() -> None:
    def leaking(message: Message) -> None:
        raise KeyError(message.format)

    with pytest.raises(Find, match="KeyError"):
        campaign(inputs=1, seed=1, reading=leaking)


def test_memory_out_of_proportion_is_found_and_reported() -> None:
    def hoarding(message: Message) -> None:
        assert bytearray(1_000_000 + len(message.value))

    with pytest.raises(Find, match="bytes of memory"):
        campaign(inputs=1, seed=1, reading=hoarding)
