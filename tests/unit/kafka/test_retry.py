"""Delays grow, have a limit, and differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events import ConfigurationError
from immersiverse.auth.events.kafka.config import Retry


def test_delays_grow_by_the_factor() -> None:
    retry = Retry(first=0.5, factor=2, longest=60, jitter=0)
    assert [retry.delay(failures) for failures in (1, 2, 3, 4)] == [0.5, 1, 2, 4]


def test_delays_have_a_limit_however_many_failures_there_were() -> None:
    retry = Retry(first=1, factor=10, longest=30, jitter=0)
    assert {retry.delay(failures) for failures in (3, 100, 10**6)} == {30}


@given(st.integers(1, 1000), st.floats(0, 1))
def test_jitter_takes_off_no_more_than_its_share(failures: int, jitter: float) -> None:
    full = Retry(jitter=0).delay(failures)
    assert full * (1 - jitter) <= Retry(jitter=jitter).delay(failures) <= full


def test_delays_of_many_failures_at_once_differ() -> None:
    retry = Retry(jitter=0.5)
    assert len({retry.delay(1) for _ in range(50)}) > 40


def test_it_is_exhausted_after_its_attempts() -> None:
    retry = Retry(attempts=3)
    assert [retry.exhausted(failures) for failures in (1, 2, 3, 4)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("name", "value"),
    [("attempts", 0), ("first", -1), ("factor", 0.5), ("longest", float("nan")), ("jitter", 2)],
)
def test_a_number_out_of_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=f"retry.{name}"):
        Retry(**{name: value})
