"""Where keys land, and how many partitions a load needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.admin.topic_setup.partitions import (
    SAMPLE_KEYS,
    TopicLoad,
    advise,
    busiest_share,
    moved_keys,
    murmur2,
    partition_of,
)


@pytest.mark.parametrize(
    ("key", "signed"),  # as the tests of Kafka's Java client have it
    [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ],
)
def test_keys_are_hashed_as_by_kafkas_java_client(key, signed):
    assert murmur2(key.encode()) == signed & 0xFFFFFFFF
    assert partition_of(key.encode(), 12) == (signed & 0x7FFFFFFF) % 12


@pytest.mark.parametrize(
    ("before", "after", "share"), [(6, 12, 1 / 2), (12, 24, 1 / 2), (12, 36, 2 / 3), (6, 7, 6 / 7)]
)
def test_as_many_keys_move_as_arithmetic_says(before, after, share):
    assert moved_keys(before, after) == pytest.approx(share * SAMPLE_KEYS, rel=0.05)
    assert moved_keys(before, before) == 0


@given(st.integers(1, 10**9), st.floats(0.1, 10**6), st.floats(1, 5), st.floats(10, 10_000))
def test_advice_is_a_multiple_of_12_with_room_for_all_consumers(users, events, headroom, each):
    advice = advise(TopicLoad(users, events, headroom, each))
    assert advice.partitions % 12 == 0
    assert advice.partitions >= advice.consumers
    assert advice.enough == (advice.busiest <= each)


def test_few_users_need_faster_handlers_and_not_more_partitions():
    assert not advise(TopicLoad(10, 5_000, headroom=1, events_per_consumer=100)).enough
    assert advise(TopicLoad(1_000_000, 5_000, headroom=1, events_per_consumer=1_000)).partitions == 12


def test_the_busiest_partition_comes_nearer_to_the_mean_with_more_users():
    shares = [busiest_share(users, 48) * 48 for users in (100, 10_000, 10_000_000)]
    assert shares == sorted(shares, reverse=True)
    assert 1.0 < shares[-1] < 1.01
