"""A change is told in the words of events: which ones it concerns, and which field it is."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.gate.effects import Effects
from immersiverse.auth.events.protoc import compile_files
from immersiverse.auth.events.registry.contract import OPTIONS_FILE
from unit.gate.conftest import OLD


def parsed(text):
    return compile_files({"shop.proto": text}, descriptors=[OPTIONS_FILE])["shop.proto"]


@pytest.fixture(scope="module")
def effects():
    new = OLD.replace("Returned returned = 17", "Lost lost = 18").replace(
        "string item = 1", "string thing = 1"
    )
    new += 'message Lost { option (immersiverse.auth.events.v1.event) = {topic: "shop"}; }'
    return Effects(parsed(OLD), parsed(new))


@pytest.mark.parametrize(
    ("path", "events"),
    [
        ("#/Sold/1", ("Sold",)),
        ("#/Currency/1", ("Sold",)),
        ("#/Returned/Reason/1", ("Returned",)),
        ("#/Envelope/payload/16", ("Sold",)),
        ("#/Envelope/payload/17", ("Returned",)),  # an arm that is gone
        ("#/Envelope/18", ("Lost",)),  # one that came
        ("#/Envelope/1", ("Lost", "Returned", "Sold")),
        ("#/Place/1", ("Lost", "Returned", "Sold")),  # the envelope holds it, so every event does
        ("#/", ("Lost", "Returned", "Sold")),
        ("#/Unused/1", ()),
    ],
)
def test_the_events_that_a_change_concerns(effects, path, events):
    assert effects.events(path) == events


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("#/", "the file"),
        ("#/Sold", "Sold"),
        ("#/Sold/1", "Sold.thing"),
        ("#/Sold/99", "Sold.99"),
        ("#/Envelope/payload/17", "Envelope.returned"),
        ("#/Returned/Reason/1", "Returned.Reason.text"),
        ("#/Currency/1", "Currency.CURRENCY_EURO"),
    ],
)
def test_the_place_of_a_change_in_words(effects, path, place):
    assert effects.place(path) == place


def test_a_file_that_knows_nothing_of_events_concerns_none():
    file = parsed('syntax = "proto3"; message A { A a = 1; }')
    effects = Effects(file, file)
    assert effects.events("#/A/1") == effects.events("#/") == ()
    assert effects.place("#/A/1") == "A.a"
