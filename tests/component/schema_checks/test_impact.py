"""Which events a change concerns, and the names on its path."""

from __future__ import annotations

import pytest

from component.schema_checks.conftest import OLD
from immersiverse.auth.events.catalog import OPTIONS_FILE
from immersiverse.auth.events.protoc import compile_files
from immersiverse.auth.events.schema_checks.impact import EventImpact


def parsed(text):
    return compile_files({"shop.proto": text}, descriptors=[OPTIONS_FILE])["shop.proto"]


@pytest.fixture(scope="module")
def impact():
    new = OLD.replace("Returned returned = 17", "Lost lost = 18").replace(
        "string item = 1", "string thing = 1"
    )
    new += 'message Lost { option (immersiverse.auth.events.v1.event) = {topic: "shop"}; }'
    return EventImpact(parsed(OLD), parsed(new))


@pytest.mark.parametrize(
    ("path", "events"),
    [
        ("#/Sold/1", ("Sold",)),
        ("#/Currency/1", ("Sold",)),
        ("#/Returned/Reason/1", ("Returned",)),
        ("#/Envelope/payload/16", ("Sold",)),
        ("#/Envelope/payload/17", ("Returned",)),  # a payload field that was removed
        ("#/Envelope/18", ("Lost",)),  # one that was added
        ("#/Envelope/1", ("Lost", "Returned", "Sold")),
        ("#/Place/1", ("Lost", "Returned", "Sold")),  # the envelope holds it, so every event does
        ("#/", ("Lost", "Returned", "Sold")),
        ("#/Unused/1", ()),
    ],
)
def test_the_events_that_a_change_concerns(impact, path, events):
    assert impact.events(path) == events


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
def test_the_place_of_a_change_has_names(impact, path, place):
    assert impact.place(path) == place


def test_a_file_without_events_concerns_none():
    file = parsed('syntax = "proto3"; message A { A a = 1; }')
    impact = EventImpact(file, file)
    assert impact.events("#/A/1") == impact.events("#/") == ()
    assert impact.place("#/A/1") == "A.a"
