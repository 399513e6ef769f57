"""The demonstration on the embedded stack."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import closing

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent, SchemaNotRegistered
from immersiverse.auth.events.events import event_type_of
from immersiverse.auth.events.simulation import simulate
from immersiverse.auth.events.testing.demo import Demo, Figures
from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from immersiverse.auth.events.testing.stack import EmbeddedStack
from immersiverse.auth.events.v1 import events_pb2 as v1


def run(events):
    events = list(events)
    with EmbeddedStack() as stack:
        demo = Demo(stack, events, len(events))
        for _ in demo.run():
            pass
    return demo.figures


def test_every_event_is_settled_and_some_are_retried_dropped_and_dead_lettered():
    figures = run(simulate(1, 1_500))
    assert (figures.published, figures.handled) == (1_502, 1_499)
    assert (figures.duplicates, figures.dead_letters) == (2, 1)
    assert figures.retried == 2 + 2  # two fail once, one fails for good at its third attempt
    assert (figures.lag, figures.out_of_order) == (0, 0)
    types = Counter(event_type_of(event).name for event in simulate(1, 1_500))
    assert (types - figures.by_type).total() == 1
    assert figures.failures.total() == figures.by_type["LoginFailed"]


def test_thirty_events_show_a_retry_a_duplicate_and_a_dead_letter():
    figures = run(simulate(2, 30))
    assert (figures.retried, figures.duplicates, figures.dead_letters) == (3, 1, 1)
    assert set(figures.latest) == {"retried", "duplicates", "dead_letters"}


def test_one_event_is_enough():
    figures = run(simulate(1, 1))
    assert (figures.published, figures.handled, figures.lag) == (1, 1, 0)


def test_an_event_that_breaks_the_contract_ends_it():
    with pytest.raises(InvalidEvent):
        run([v1.AuthEvent()])


def test_a_registry_without_the_contract_ends_it():
    class Unregistered:
        """A stack whose registry is another."""

        def __init__(self, bootstrap, registry_url):
            self.bootstrap, self.registry_url = bootstrap, registry_url

    with EmbeddedStack() as stack, EmbeddedRegistry() as empty:
        demo = Demo(Unregistered(stack.bootstrap, empty.url), simulate(1, 1), 1)
        with pytest.raises(SchemaNotRegistered):
            list(demo.run())


def test_closing_it_early_ends_both_threads():
    with EmbeddedStack() as stack:
        demo = Demo(stack, simulate(1, 10**9), 10**9)
        with closing(demo.run()) as progress:
            while not next(progress).handled:
                pass
        assert 0 < demo.figures.published < 10**6
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("demo-")]


def test_an_event_that_comes_after_a_later_one_of_its_user_and_topic_is_out_of_order():
    figures = Figures(wanted=5)
    for version in (1, 3, 2, 4):
        figures.handle(v1.AuthEvent(version=version, login_succeeded=v1.LoginSucceeded(user_id="a")))
    figures.handle(v1.AuthEvent(version=1, login_succeeded=v1.LoginSucceeded(user_id="b")))
    figures.handle(v1.AuthEvent(version=2, user_updated=v1.UserUpdated(user_id="a")))
    assert figures.out_of_order == 1
    assert set(figures.by_type) <= set(catalog.EVENT_TYPES)
