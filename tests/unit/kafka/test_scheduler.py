"""One user's events are handled in order, others' meanwhile, and each ends exactly once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from immersiverse.auth.events import MemoryInbox, Verdict
from immersiverse.auth.events.errors import (
    ConfigurationError,
    InboxUnavailable,
    MalformedFrame,
    MissingExtra,
    RegistryRefused,
    RegistryUnavailable,
    UnknownFormat,
)
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer import scheduler
from immersiverse.auth.events.kafka.consumer.decoding import UnknownEventType
from immersiverse.auth.events.kafka.consumer.handlers import Handlers
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
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from later_version import newer_event
from scheduling import AT_ONCE, TOPIC, Stage, record, until

TWO = Policy(concurrency=2, retry=AT_ONCE)


class Seen:
    """A handler that remembers, and fails as often as it is made to.

    Attributes:
        offsets: what it handled, in order.
    """

    def __init__(self, **failures: int) -> None:
        self.offsets: list[int] = []
        self.attempts: list[int] = []
        self._failures = {int(name.removeprefix("at_")): count for name, count in failures.items()}

    def __call__(self, _event: Any, payload: Any) -> None:
        """Handle one event."""
        offset = int(payload.session_id)
        self.attempts.append(offset)
        if self._failures.get(offset, 0):
            self._failures[offset] -= 1
            raise OSError(f"the database is away at {offset}")
        self.offsets.append(offset)

    async def wait(self, event: Any, payload: Any) -> None:
        """Handle one event, with a turn for others."""
        await asyncio.sleep(0)
        self(event, payload)


def staged(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run a test in an event loop."""

    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 20))

    run.__name__ = test.__name__
    return run


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
async def test_what_cannot_be_read_is_dead_lettered_at_once_and_no_handler_sees_it() -> None:
    seen = Seen()
    stage = Stage(seen)
    await stage.handle(record(0, value=b"nonsense"), record(1, value=b"\x00"), record(2))
    kinds = [(failed.offset(), type(error), attempts) for failed, error, attempts in stage.dead_letters.sent]
    assert kinds == [(0, UnknownFormat, 0), (1, MalformedFrame, 0)]
    assert seen.attempts == [2]


@staged
async def test_a_handlers_own_decode_error_is_an_error_of_the_handler() -> None:
    def handler(_event: Any, _payload: Any) -> None:
        raise MalformedFrame("of something else that the handler reads")

    stage = Stage(handler)
    await stage.handle(record(0))
    assert [attempts for _, _, attempts in stage.dead_letters.sent] == [3]


@staged
async def test_tombstones_and_types_without_a_handler_are_done_with_at_once() -> None:
    stage = Stage(None)
    await stage.handle(record(0), record(1, value=None))
    assert stage.commits() == {0: 2}


@staged
async def test_unknown_types_are_skipped_or_dead_lettered_by_policy() -> None:
    value = b"\x00\x00\x00\x00\x01\x00" + newer_event(user_id="u-1").SerializeToString()
    trusting = AuthEventDeserializer()
    skips = Stage(Seen(), deserializer=trusting)
    await skips.handle(record(0, value=value))
    condemns = Stage(Seen(), Policy(unknown="dead-letter"), deserializer=trusting)
    await condemns.handle(record(0, value=value))
    assert skips.dead_letters.sent == []
    assert [type(error) for _, error, _ in condemns.dead_letters.sent] == [UnknownEventType]


@staged
async def test_an_outage_of_the_registry_is_waited_for_however_long_it_takes() -> None:
    class Away(AuthEventDeserializer):
        calls = 0

        def read(self, message: Any) -> Any:
            self.calls += 1
            if self.calls < 8:
                raise RegistryUnavailable("away") if self.calls % 2 else RegistryRefused("no", 401)
            return super().read(message)

    seen = Seen()
    stage = Stage(seen, deserializer=Away())
    await stage.handle(record(0, "a"), record(1, "b"), record(2, "a"))
    assert sorted(seen.offsets) == [0, 1, 2]
    assert stage.dead_letters.sent == []


@pytest.mark.parametrize(
    "error", [KeyError("x"), MissingExtra("sql", "this"), SystemExit(3), KeyboardInterrupt()]
)
@pytest.mark.parametrize("kind", ["plain", "async", "worker"])
def test_a_fatal_error_stops_with_the_offset_uncommitted(error: BaseException, kind: str) -> None:
    def plain(_event: Any, _payload: Any) -> None:
        if _payload.session_id == "1":
            raise error

    async def waiting(_event: Any, _payload: Any) -> None:
        plain(_event, _payload)

    async def run() -> None:
        workers = Workers(2) if kind == "worker" else None
        policy = Policy(retry=AT_ONCE, fatal=(KeyError,))
        stage = Stage(waiting if kind == "async" else plain, policy, workers=workers)
        stage.deliver([record(0, "a"), record(1, "a"), record(2, "a")])
        await until(lambda: bool(stage.stopped_by))
        assert stage.stopped_by == [error]
        assert stage.commits() == {0: 1}
        assert stage.dead_letters.sent == []
        await stage.scheduler.close()
        if workers:
            workers.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["async", "worker", "plain"])
def test_odd_exceptions_are_failures_like_others(kind: str) -> None:
    raised: list[BaseException] = [StopIteration(), asyncio.CancelledError(), StopAsyncIteration()]

    def plain(_event: Any, _payload: Any) -> None:
        if raised:
            raise raised.pop()

    async def waiting(_event: Any, _payload: Any) -> None:
        if isinstance(raised[-1] if raised else None, StopIteration):
            raised.pop()  # a coroutine cannot raise it
        plain(_event, _payload)

    async def run() -> None:
        workers = Workers(2) if kind == "worker" else None
        policy = Policy(concurrency=2, retry=AT_ONCE)
        stage = Stage(waiting if kind == "async" else plain, policy, workers=workers)
        await stage.handle(*(record(offset, f"u-{offset}") for offset in range(6)))
        assert (stage.stopped_by, stage.dead_letters.sent, stage.commits()) == ([], [], {0: 6})
        if workers:
            workers.close()

    asyncio.run(run())


@staged
async def test_a_plain_function_that_returns_something_to_await_stops_the_subscriber() -> None:
    seen = Seen()

    def forgetful(event: Any, payload: Any) -> Any:
        return seen.wait(event, payload)

    for inbox in (None, MemoryInbox()):
        stage = Stage(forgetful, inbox=inbox)
        stage.deliver([record(0)])
        await until(lambda stage=stage: bool(stage.stopped_by))  # type: ignore[misc]  # this turn's
        assert isinstance(stage.stopped_by[0], ConfigurationError)
        assert stage.commits() == {}
    assert inbox is not None
    with inbox.admit(AuthEvent(event_id="0-0"), TOPIC, b"u-1") as admission:
        assert admission.verdict is Verdict.FRESH, "what was not done is remembered as handled"


@staged
async def test_an_inbox_that_is_unavailable_is_retried_without_counting_attempts() -> None:
    seen = Seen()

    class Unavailable(MemoryInbox):
        left = 10 * AT_ONCE.attempts

        def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> Any:
            self.left -= 1
            if self.left > 0:
                raise InboxUnavailable("the database does not answer")
            return super().admit(event, topic, key)

    stage = Stage(seen, Policy(retry=AT_ONCE), inbox=Unavailable())
    await stage.handle(record(0))
    assert (stage.stopped_by, stage.dead_letters.sent, stage.commits()) == ([], [], {0: 1})


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_duplicate_finishes_without_its_handler(kind: str) -> None:
    async def run() -> None:
        seen = Seen()
        stage = Stage(seen if kind == "plain" else seen.wait, inbox=MemoryInbox())
        await stage.handle(record(0), record(1, value=record(0).value()), record(2))
        assert seen.offsets == [0, 2]
        assert stage.commits() == {0: 3}

    asyncio.run(run())


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
    assert "abandoned" not in caplog.text


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
