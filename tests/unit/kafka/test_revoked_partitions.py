"""A partition that goes: what is still handled of it, what is committed, and how a subscriber closes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer.options import Policy
from scheduling import TOPIC, TWO, Seen, Stage, record, staged, until


@staged
async def test_a_partition_that_goes_begins_nothing_more_and_commits_what_finished() -> None:
    seen = Seen(at_2=99)
    stage = Stage(seen.wait, Policy(concurrency=8))
    stage.deliver([record(0, "a"), record(1, "a"), record(2, "b"), record(3, "b")])
    await stage.finished(2)
    committed = await stage.release(0, 1)
    assert committed == {(TOPIC, 0): 2}
    await stage.finished(4)
    assert seen.offsets == [0, 1]
    assert stage.dead_letters.sent == []


@staged
async def test_a_partition_that_goes_waits_for_its_running_handlers() -> None:
    done = []

    async def slow(_event: Any, payload: Any) -> None:
        await asyncio.sleep(0.1)
        done.append(int(payload.session_id))

    stage = Stage(slow, TWO)
    stage.deliver([record(0, "a"), record(1, "b"), record(2, "c")])
    await asyncio.sleep(0.02)
    assert await stage.release(0, 5) == {(TOPIC, 0): 2}
    await stage.finished(3)
    assert sorted(done) == [0, 1]


@staged
async def test_a_partition_that_goes_handles_what_keeps_finished_events_from_being_committed() -> None:
    go, seen = asyncio.Event(), list[int]()

    async def slow_at_first(_event: Any, payload: Any) -> None:
        if (offset := int(payload.session_id)) == 0:
            await go.wait()
        seen.append(offset)

    stage = Stage(slow_at_first, TWO)
    stage.deliver([record(0, "a"), record(1, "a"), record(2, "b"), record(3, "a")])
    await until(lambda: 2 in seen)
    asyncio.get_running_loop().call_later(0.02, go.set)
    assert await stage.release(0, 5) == {(TOPIC, 0): 3}
    assert seen == [2, 0, 1], "2 would be redelivered without 1; 3 need not begin"


@staged
async def test_a_partition_that_goes_does_not_try_a_failed_event_again() -> None:
    seen = Seen(at_0=99)
    stage = Stage(seen, Policy(retry=Retry(attempts=9, first=60.0, jitter=0.0)))
    stage.deliver([record(0, "a"), record(1, "b")])
    await until(lambda: seen.offsets == [1])
    assert await stage.release(0, 5) == {}
    await stage.finished(2)
    assert seen.attempts.count(0) == 1


@staged
async def test_a_partition_that_was_lost_begins_not_even_those() -> None:
    go, seen = asyncio.Event(), list[int]()

    async def slow_at_first(_event: Any, payload: Any) -> None:
        if (offset := int(payload.session_id)) == 0:
            await go.wait()
        seen.append(offset)

    stage = Stage(slow_at_first, TWO)
    stage.deliver([record(0, "a"), record(1, "a"), record(2, "b")])
    await until(lambda: 2 in seen)
    stage.scheduler.lose([(TOPIC, 0)])
    go.set()
    await stage.finished(3)
    assert seen == [2, 0]


@staged
async def test_a_partition_that_goes_does_not_wait_for_ever() -> None:
    never = asyncio.Event()

    async def stuck(_event: Any, _payload: Any) -> None:
        await never.wait()

    stage = Stage(stuck, TWO)
    stage.deliver([record(0, "a"), record(1, "b"), record(2, "c")])
    await asyncio.sleep(0.01)
    begun = time.monotonic()
    assert await stage.release(0, 0.1) == {}
    assert 0.05 < time.monotonic() - begun < 2
    await stage.scheduler.close()


@staged
async def test_what_was_fetched_before_a_partition_went_is_not_handled_when_it_comes_back() -> None:
    seen = Seen()
    stage = Stage(seen)
    stage.deliver([record(offset) for offset in range(5)])
    stage.scheduler.withdraw([(TOPIC, 0)])
    stage.scheduler.assign([(TOPIC, 0)])
    await stage.handle(record(2), record(3))
    assert stage.scheduler.finished == 7
    assert seen.offsets == [2, 3]
    assert stage.commits() == {0: 4}


@staged
async def test_an_event_that_finishes_late_moves_nothing_of_the_partitions_next_life() -> None:
    go = asyncio.Event()

    async def slow(_event: Any, _payload: Any) -> None:
        await go.wait()

    stage = Stage(slow, TWO)
    stage.deliver([record(0, "a")])
    await asyncio.sleep(0.01)
    assert await stage.release(0, 0) == {}
    stage.scheduler.assign([(TOPIC, 0)])
    stage.deliver([record(0, "b"), record(1, "a")])
    await asyncio.sleep(0.01)
    assert stage.commits() == {}
    go.set()
    await stage.finished(3)
    assert stage.commits() == {0: 2}


@staged
async def test_another_partition_goes_on_when_one_goes_during_a_retry() -> None:
    seen = Seen(at_0=99)
    stage = Stage(seen, Policy(retry=Retry(first=60)))
    stage.scheduler.assign([(TOPIC, 1)])
    stage.deliver([record(0, "a"), record(7, "a", partition=1), record(8, "b", partition=1)])
    await stage.finished(1)
    await stage.release(0, 5)
    await stage.finished(3)
    assert seen.offsets == [8, 7]
    assert stage.commits() == {1: 9}


def test_closing_gives_up_handlers_that_run(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(closing_gives_up(caplog))


async def closing_gives_up(caplog: pytest.LogCaptureFixture) -> None:
    cancelled = []

    async def stuck(_event: Any, payload: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(payload.session_id)
            raise

    stage = Stage(stuck, TWO)
    stage.deliver([record(0)])
    await asyncio.sleep(0.01)
    await stage.scheduler.close()
    assert cancelled == ["0"]
    assert stage.commits() == {}
    assert caplog.records == [], "it has not failed, and was not abandoned"


@staged
async def test_closing_does_not_wait_for_a_handler_that_will_not_be_cancelled() -> None:
    go_on = True

    async def stubborn(_event: Any, _payload: Any) -> None:
        while go_on:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    stage = Stage(stubborn, TWO)
    stage.deliver([record(0)])
    await asyncio.sleep(0.01)
    begun = time.monotonic()
    await stage.scheduler.close()
    assert time.monotonic() - begun < 5
    go_on = False
    await stage.finished(1)
