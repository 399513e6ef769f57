"""A cache that asks once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from immersiverse.auth.events.errors import RegistryUnavailable, UnknownSchemaId
from immersiverse.auth.events.registry import single_flight
from immersiverse.auth.events.registry.single_flight import SingleFlight


def test_a_value_is_asked_for_once():
    asked = []
    cache = SingleFlight(lambda key: asked.append(key) or key * 2)
    assert [cache.get(4), cache.get(4)] == [8, 8]
    assert asked == [4]


def test_threads_that_want_the_same_value_at_the_same_time_wait_for_one_answer():
    asked = []
    everyone = threading.Barrier(8)

    def load(key):
        asked.append(key)
        time.sleep(0.05)
        return key

    cache = SingleFlight(load)

    def want(_):
        everyone.wait()
        return cache.get("schema")

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(want, range(8))) == ["schema"] * 8
    assert asked == ["schema"]


def test_a_slow_value_delays_no_other_value():
    release = threading.Event()
    cache = SingleFlight(lambda key: release.wait(5) if key == "slow" else key)
    slow = threading.Thread(target=cache.get, args=("slow",))
    slow.start()
    assert cache.get("quick") == "quick"
    release.set()
    slow.join(5)
    assert not slow.is_alive()


def test_an_error_that_may_pass_is_asked_for_again():
    answers = iter([RegistryUnavailable("away"), "back"])

    def load(_):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    cache = SingleFlight(load)
    with pytest.raises(RegistryUnavailable):
        cache.get(1)
    assert cache.get(1) == "back"


def test_an_error_that_would_repeat_is_remembered_for_a_while():
    asked = []

    def load(key):
        asked.append(key)
        raise UnknownSchemaId(key)

    cache = SingleFlight(load, lifetime=lambda _: 0.05)
    for _ in range(3):
        with pytest.raises(UnknownSchemaId):
            cache.get(9)
    assert asked == [9]
    time.sleep(0.06)
    with pytest.raises(UnknownSchemaId):
        cache.get(9)
    assert asked == [9, 9]


def test_a_value_that_is_worth_another_attempt_is_remembered_for_a_while():
    asked = []
    cache = SingleFlight(lambda key: asked.append(key) or key, lifetime=lambda _: 0.05)
    assert [cache.get(9), cache.get(9)] == [9, 9]
    assert asked == [9]
    time.sleep(0.06)
    assert cache.get(9) == 9
    assert asked == [9, 9]


def test_an_error_that_is_raised_often_does_not_grow():
    def load(key):
        raise UnknownSchemaId(key)

    cache = SingleFlight(load, lifetime=lambda _: 30)
    depths = set()
    for _ in range(5):
        with pytest.raises(UnknownSchemaId) as unknown:
            cache.get(9)
        depths.add(len(unknown.traceback))
    assert len(depths) == 1


def test_remembered_errors_are_bounded(monkeypatch):
    monkeypatch.setattr(single_flight, "_CAPACITY", 10)

    def load(key):
        raise UnknownSchemaId(key)

    cache = SingleFlight(load, lifetime=lambda _: 30)
    for key in range(1000):
        with pytest.raises(UnknownSchemaId):
            cache.get(key)
    assert len(cache._flights) == 10
