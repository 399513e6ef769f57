"""Offsets finish in any order, and are committed in theirs."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.kafka.consumer.offsets import OffsetCommitter, OffsetTracker
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher


def test_nothing_is_committed_before_anything_began() -> None:
    assert OffsetTracker().take_commit() is None


def test_nothing_is_committed_while_the_first_event_is_unfinished() -> None:
    offsets = OffsetTracker()
    offsets.begin(7)
    assert offsets.take_commit() is None


def test_the_offset_after_the_last_finished_event_is_committed_once() -> None:
    offsets = OffsetTracker()
    offsets.begin(7)
    offsets.finish(7)
    assert (offsets.take_commit(), offsets.take_commit()) == (8, None)


def test_an_unfinished_event_holds_back_what_finished_after_it() -> None:
    offsets = OffsetTracker()
    for offset in (3, 4, 5):
        offsets.begin(offset)
    offsets.finish(5)
    offsets.finish(3)
    assert offsets.take_commit() == 4
    offsets.finish(4)
    assert offsets.take_commit() == 6


def test_offsets_that_the_log_leaves_out_are_no_obstacle() -> None:
    offsets = OffsetTracker()
    for offset in (3, 17, 90):
        offsets.begin(offset)
        offsets.finish(offset)
    assert offsets.take_commit() == 91


def test_the_last_commit_of_a_partition_covers_what_was_taken_and_may_not_have_been_accepted() -> None:
    offsets = OffsetTracker()
    offsets.begin(7)
    assert offsets.last_commit is None
    offsets.finish(7)
    assert (offsets.take_commit(), offsets.last_commit) == (8, 8)


def test_a_failed_commit_is_offered_again() -> None:
    offsets = OffsetTracker()
    offsets.begin(0)
    offsets.finish(0)
    assert offsets.take_commit() == 1
    offsets.commit_failed()
    offsets.begin(1)
    assert offsets.take_commit() == 1


@given(st.data(), st.integers(1, 30))
def test_what_may_be_committed_grows_and_never_passes_an_unfinished_event(
    data: st.DataObject, count: int
) -> None:
    offsets, unfinished, last = OffsetTracker(), set[int](), -1
    for offset in range(count):
        offsets.begin(offset)
        unfinished.add(offset)
        for done in data.draw(st.lists(st.sampled_from(sorted(unfinished)), unique=True)):
            offsets.finish(done)
            unfinished.discard(done)
        assert offsets.committable == min(unfinished, default=offset + 1)
        assert offsets.unfinished == len(unfinished)
        commit = offsets.take_commit()
        assert commit is None or last < commit <= min(unfinished, default=offset + 1)
        last = last if commit is None else commit


def test_a_refusal_that_repeats_is_logged_once_and_its_offsets_are_offered_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failed: list[tuple[tuple[str, int], ...]] = []
    committer = OffsetCommitter(
        stored=False,
        notify=HookDispatcher(()),
        on_failure=lambda lost: failed.append(tuple(lost)),
    )
    for code in [KafkaError.ILLEGAL_GENERATION] * 25 + [KafkaError.REQUEST_TIMED_OUT]:
        committer.on_commit(KafkaError(code), [TopicPartition("t", 0, 7)])
    assert len(failed) == 26
    assert len(caplog.records) == 2
