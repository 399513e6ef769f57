"""Offsets finish in any order, and are committed in theirs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.kafka.progress import Progress


def test_nothing_is_committed_before_anything_began() -> None:
    assert Progress().take_commit() is None


def test_nothing_is_committed_while_the_first_event_is_unfinished() -> None:
    progress = Progress()
    progress.begin(7)
    assert progress.take_commit() is None


def test_the_offset_after_the_last_finished_event_is_committed_once() -> None:
    progress = Progress()
    progress.begin(7)
    progress.finish(7)
    assert (progress.take_commit(), progress.take_commit()) == (8, None)


def test_an_unfinished_event_holds_back_what_finished_after_it() -> None:
    progress = Progress()
    for offset in (3, 4, 5):
        progress.begin(offset)
    progress.finish(5)
    progress.finish(3)
    assert progress.take_commit() == 4
    progress.finish(4)
    assert progress.take_commit() == 6


def test_offsets_that_the_log_leaves_out_are_no_obstacle() -> None:
    progress = Progress()
    for offset in (3, 17, 90):
        progress.begin(offset)
        progress.finish(offset)
    assert progress.take_commit() == 91


def test_the_last_commit_of_a_partition_covers_what_was_taken_and_may_not_have_been_accepted() -> None:
    progress = Progress()
    progress.begin(7)
    assert progress.last_commit is None
    progress.finish(7)
    assert (progress.take_commit(), progress.last_commit) == (8, 8)


def test_a_failed_commit_is_offered_again() -> None:
    progress = Progress()
    progress.begin(0)
    progress.finish(0)
    assert progress.take_commit() == 1
    progress.commit_failed()
    progress.begin(1)
    assert progress.take_commit() == 1


@given(st.data(), st.integers(1, 30))
def test_what_may_be_committed_grows_and_never_passes_an_unfinished_event(
    data: st.DataObject, count: int
) -> None:
    progress, unfinished, last = Progress(), set[int](), -1
    for offset in range(count):
        progress.begin(offset)
        unfinished.add(offset)
        for done in data.draw(st.lists(st.sampled_from(sorted(unfinished)), unique=True)):
            progress.finish(done)
            unfinished.discard(done)
        assert progress.committable == min(unfinished, default=offset + 1)
        assert progress.unfinished == len(unfinished)
        commit = progress.take_commit()
        assert commit is None or last < commit <= min(unfinished, default=offset + 1)
        last = last if commit is None else commit
