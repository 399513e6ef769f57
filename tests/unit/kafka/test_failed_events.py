"""What happens to an event that fails: unreadable ones, outages, fatal errors, duplicates."""

from __future__ import annotations

import asyncio
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
from immersiverse.auth.events.kafka.consumer.decoding import UnknownEventType
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.workers import Workers
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from later_version import newer_event
from scheduling import AT_ONCE, TOPIC, Seen, Stage, record, staged, until


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
