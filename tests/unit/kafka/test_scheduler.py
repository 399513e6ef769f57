"""One user's events are handled in order, others' meanwhile, and each ends exactly once."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from immersiverse.auth.events.errors import (
    InboxUnavailable,
)
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer import scheduler
from immersiverse.auth.events.kafka.consumer.handlers import Handlers
from immersiverse.auth.events.kafka.consumer.keyed_queues import ConcurrencyLimiter
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.records import Context
from immersiverse.auth.events.kafka.workers import Workers
from immersiverse.auth.events.observability.hooks import (
    Consumed,
    DeadLettered,
    DecodeFailed,
    Detail,
    Retried,
)
from scheduling import AT_ONCE, TOPIC, Seen, Stage, record, staged, until


@staged
async def test_a_plain_function_is_called_for_each_event_in_order() -> None:
    seen = Seen()
    stage = Stage(seen)
    await stage.handle(*(record(offset, f"u-{offset % 3}") for offset in range(10)))
    assert seen.offsets == list(range(10))
    assert stage.commits() == {0: 10}


@staged
async def test_a_failed_event_is_tried_again_and_later_ones_of_its_user_wait() -> None:
    seen = Seen(at_0=2)
    stage = Stage(seen)
    await stage.handle(record(0, "a"), record(1, "a"), record(2, "b"))
    assert seen.offsets == [2, 0, 1]
    assert stage.dead_letters.sent == []


@staged
async def test_later_events_of_a_user_pass_a_failed_one_if_the_policy_lets_them() -> None:
    seen = Seen(at_0=2)
    stage = Stage(seen, Policy(retry=AT_ONCE, after_failure="let-pass"))
    await stage.handle(record(0, "a"), record(1, "a"), record(2, "b"))
    assert seen.offsets == [1, 2, 0]
    assert stage.commits() == {0: 3}


@staged
async def test_in_an_outage_later_events_of_a_user_wait_even_if_the_policy_lets_them_pass() -> None:
    seen, outages = Seen(), iter(range(2))

    def handle(event: Any, payload: Any) -> None:
        if next(outages, None) is not None:
            raise InboxUnavailable("the database is away")
        seen(event, payload)

    stage = Stage(handle, Policy(retry=AT_ONCE, after_failure="let-pass"))
    await stage.handle(record(0, "a"), record(1, "a"), record(2, "a"))
    assert seen.offsets == [0, 1, 2]


@staged
async def test_a_handler_learns_which_attempt_it_is() -> None:
    attempts: list[int] = []

    def handle(_event: Any, _payload: Any, context: Context) -> None:
        attempts.append(context.attempt)
        raise OSError("the database is away")

    await Stage(handle).handle(record(0))
    assert attempts == [1, 2, 3]


@staged
async def test_an_event_that_always_fails_is_dead_lettered_with_its_last_error_and_its_attempts() -> None:
    stage = Stage(Seen(at_0=99))
    await stage.handle(record(0, "a"), record(1, "a"))
    ((failed, error, attempts),) = stage.dead_letters.sent
    assert (failed.offset(), type(error), attempts) == (0, OSError, 3)
    assert stage.commits() == {0: 2}


@staged
async def test_nothing_is_committed_past_a_dead_letter_that_is_not_safe_yet() -> None:
    stage = Stage(Seen())
    stage.dead_letters.open.clear()
    stage.deliver([record(0, "a"), record(1, "a", value=b"nonsense"), record(2, "b")])
    await stage.finished(2)
    assert stage.commits() == {0: 1}
    stage.dead_letters.open.set()
    await stage.finished(3)
    assert stage.commits() == {0: 3}


@staged
async def test_a_partition_behind_a_failing_user_is_paused_and_goes_on_in_order() -> None:
    seen, is_away = Seen(), True

    def handle(event: Any, payload: Any) -> None:
        if is_away and payload.user_id == "a":
            raise OSError("the database is away")
        seen(event, payload)

    retry = Retry(attempts=10_000, first=0.001, factor=1.0, jitter=0.0)
    stage = Stage(handle, Policy(retry=retry), share=4)
    stage.scheduler.assign([(TOPIC, 1)])
    stage.deliver([record(offset, "a") for offset in range(6)])
    await until(lambda: stage.scheduler.held == {(TOPIC, 0): 6})
    stage.deliver([record(offset, "a") for offset in (6, 7, 8)])
    stage.deliver([record(100, "b", partition=1)])
    await until(lambda: seen.offsets == [100])
    is_away = False
    await until(lambda: len(seen.offsets) == 10)
    assert seen.offsets == [100, *range(9)]
    assert stage.scheduler.held == {}


@staged
async def test_a_permit_that_comes_to_a_cancelled_task_is_given_on() -> None:
    limiter = ConcurrencyLimiter(1, lambda: None)
    held = limiter.permit()
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    held.release()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert limiter.free == 1


@staged
async def test_a_partition_that_goes_waits_for_its_dead_letter() -> None:
    stage = Stage(Seen())
    stage.dead_letters.open.clear()
    stage.deliver([record(0, "a", value=b"nonsense")])
    for _ in range(20):  # turns, until it is being sent
        await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.02, stage.dead_letters.open.set)
    assert await stage.release(0, 5) == {(TOPIC, 0): 1}


def test_while_many_events_are_handled_others_in_the_event_loop_have_their_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduler, "_SLICE", 0.0005)

    def handle(_event: Any, _payload: Any) -> None:
        until = time.monotonic() + 0.001
        while time.monotonic() < until:
            """Longer than a slice."""

    async def run() -> int:
        stage, turns = Stage(handle), 0
        stage.deliver([record(offset) for offset in range(50)])
        while stage.scheduler.finished < 50:
            turns += 1
            await asyncio.sleep(0)
        return turns

    assert asyncio.run(run()) >= 50


@staged
async def test_no_more_events_are_handled_at_the_same_time_than_the_policy_says() -> None:
    running, most = 0, 0

    async def handler(_event: Any, payload: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1
        if int(payload.session_id) % 3 == 0:
            raise OSError("retries must take slots as well")

    for after_failure in ("hold-back", "let-pass"):
        stage = Stage(handler, Policy(concurrency=4, retry=AT_ONCE, after_failure=after_failure))
        await stage.handle(*(record(offset, f"u-{offset}") for offset in range(30)))
        assert most == 4
        assert len(stage.dead_letters.sent) == 10


@staged
async def test_plain_functions_run_side_by_side_in_threads() -> None:
    together = threading.Barrier(3, timeout=5)
    workers = Workers(3)
    stage = Stage(lambda _event, _payload: together.wait() and None, Policy(concurrency=3), workers=workers)
    await stage.handle(*(record(offset, f"u-{offset}") for offset in range(3)))
    assert stage.dead_letters.sent == []
    workers.close()


@staged
async def test_events_without_a_key_hold_no_other_events_back() -> None:
    seen = Seen(at_0=2)
    stage = Stage(seen)
    await stage.handle(record(0, ""), record(1, ""))
    assert seen.offsets == [1, 0]


@staged
async def test_hooks_hear_of_what_was_handled_retried_and_dead_lettered() -> None:
    heard: list[Detail] = []
    stage = Stage(Seen(at_1=99), hooks=[heard.append])
    await stage.handle(record(0, "a"), record(1, "b"), record(2, "c", value=b"nonsense"), record(3, "a"))
    await stage.scheduler.close()
    handled = [detail for detail in heard if isinstance(detail, Consumed)]
    assert {detail.event_type for detail in handled} == {"LoggedOut"}
    assert sum(detail.durations.count for detail in handled) == 2
    assert [detail.attempt for detail in heard if isinstance(detail, Retried)] == [1, 2]
    assert [detail.error for detail in heard if isinstance(detail, DecodeFailed)] == ["UnknownFormat"]
    dead_letters = {(detail.error, detail.attempts) for detail in heard if isinstance(detail, DeadLettered)}
    assert dead_letters == {("OSError", 3), ("UnknownFormat", 0)}


@staged
async def test_a_hook_that_raises_stops_nothing() -> None:
    def hook(_detail: Detail) -> None:
        raise OSError("the hook's own trouble")

    seen = Seen(at_0=1)
    stage = Stage(seen, hooks=[hook])
    await stage.handle(record(0), record(1, value=b"nonsense"), record(2))
    assert seen.offsets == [0, 2]
    assert stage.dead_letters.offsets == [1]


def test_handlers_are_all_that_may_be_called() -> None:
    handlers = Handlers()
    handlers.on_unknown(lambda _event: None)
    assert len(handlers.all) == 1
