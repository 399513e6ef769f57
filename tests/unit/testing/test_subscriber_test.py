"""A subscriber fed without Kafka does what it does in production."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from confluent_kafka import Message

from immersiverse.auth.events import (
    AuthEvent,
    AuthEventDeserializer,
    Context,
    LoginFailed,
    LoginSucceeded,
    MemoryInbox,
    PinnedSchemas,
    Policy,
    RegistryUnavailable,
    Retry,
    SchemaRegistry,
    Subscriber,
    UserCreated,
)
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.observability.hooks import Consumed, DeadLettered, Dropped, Retried
from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.testing import SubscriberTest, sample_event

CONFIG = {"bootstrap.servers": "localhost:1", "group.id": "tests"}
SLOW = Retry(attempts=3, first=60.0, factor=2.0, longest=600.0, jitter=0.0)


@pytest.fixture(autouse=True)
def _no_thread_left_behind() -> Iterator[None]:
    before = threading.active_count()
    yield
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        threading.Event().wait(0.001)
    assert threading.active_count() == before


def subscriber(handler: Callable[..., Any] | None = None, **options: Any) -> Subscriber:
    """One that handles failed logins, and whose registry and brokers do not exist."""
    deserializer = AuthEventDeserializer(SchemaRegistry("http://localhost:1"))
    made = Subscriber(CONFIG, deserializer=deserializer, **options)
    made.on(LoginFailed)(handler or (lambda _event, _login: None))
    return made


def failing(times: int, kind: type[Exception] = ValueError) -> Callable[[AuthEvent, LoginFailed], None]:
    """A handler whose first calls fail."""
    left = [kind(f"attempt {number}") for number in range(1, times + 1)]

    def handle(_event: AuthEvent, _login: LoginFailed) -> None:
        if left:
            raise left.pop(0)

    return handle


@pytest.mark.parametrize("concurrency", [1, 4])
def test_an_event_reaches_its_handler(concurrency: int) -> None:
    seen: list[tuple[AuthEvent, LoginFailed]] = []
    tested = subscriber(
        lambda event, login: seen.append((event, login)), policy=Policy(concurrency=concurrency)
    )
    event = sample_event(LoginFailed)
    with SubscriberTest(tested) as test:
        result = test.feed(event)
    assert (result.handled, result.attempts, result.error) == (True, 1, None)
    assert seen == [(event, event.login_failed)]
    assert (result.dead_letter, result.dropped, result.skipped, result.stopped) == (None, "", False, False)


def test_an_async_handler_that_sleeps_for_an_hour_takes_milliseconds() -> None:
    async def handle(_event: AuthEvent, _login: LoginFailed) -> None:
        await asyncio.sleep(3_000)

    began = time.perf_counter()
    with SubscriberTest(subscriber(handle)) as test:
        assert test.feed(sample_event(LoginFailed)).handled
    assert time.perf_counter() - began < 2


def test_a_handler_that_fails_is_retried_without_waiting() -> None:
    began = time.perf_counter()
    with SubscriberTest(subscriber(failing(2), policy=Policy(retry=SLOW))) as test:
        result = test.feed(sample_event(LoginFailed))
        assert (result.handled, result.attempts, result.error) == (True, 3, None)
        assert test.delays == [60.0, 120.0]
        assert test.dead_letters == []
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_fails_too_often_becomes_a_dead_letter_with_its_reason(concurrency: int) -> None:
    event = sample_event(LoginFailed)
    tested = subscriber(failing(9), policy=Policy(retry=SLOW, concurrency=concurrency))
    with SubscriberTest(tested) as test:
        result = test.feed(event)
        assert test.dead_letters == [result.dead_letter]
    assert (result.handled, result.attempts, str(result.error)) == (False, 3, "attempt 3")
    assert result.dead_letter is not None
    assert (result.dead_letter.error_name, result.dead_letter.attempts) == ("ValueError", 3)
    assert (result.dead_letter.group, result.dead_letter.topic) == ("tests", "auth.events.login")
    assert result.dead_letter.key == event.login_failed.user_id.encode()


def test_bytes_that_cannot_be_read_become_a_dead_letter_without_an_attempt() -> None:
    with SubscriberTest(subscriber()) as test:
        result = test.feed(b"neither", key=b"u-1")
    assert (result.attempts, result.handled) == (0, False)
    assert result.dead_letter is not None
    assert (result.dead_letter.error_name, result.dead_letter.value) == ("UnknownFormat", b"neither")


def test_bytes_and_messages_are_read_as_from_kafka() -> None:
    contexts: list[Context] = []

    def handle(_event: AuthEvent, _login: LoginFailed, context: Context) -> None:
        contexts.append(context)

    value = write_json(sample_event(LoginFailed))
    message = cast("Any", Message(topic="auth.events.login", partition=3, offset=40, key=b"k", value=value))
    with SubscriberTest(subscriber(handle)) as test:
        assert test.feed(value, key=b"u", headers=[("trace", b"1")]).handled
        assert test.feed(message).handled
    assert [(c.partition, c.offset, c.key) for c in contexts] == [(0, 0, b"u"), (3, 40, b"k")]
    assert contexts[0].headers == (("trace", b"1"),)


def test_a_tombstone_and_an_event_without_a_handler_are_skipped() -> None:
    with SubscriberTest(subscriber()) as test:
        assert test.feed(None, key=b"u-1").skipped
        result = test.feed(sample_event(LoginSucceeded))
    assert (result.skipped, result.handled, result.settled) == (True, False, True)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_inbox_drops_duplicate_and_stale_events(concurrency: int) -> None:
    tested = subscriber(inbox=MemoryInbox(), policy=Policy(concurrency=concurrency))
    with SubscriberTest(tested) as test:
        assert test.feed(sample_event(LoginFailed, version=5)).handled
        again = test.feed(sample_event(LoginFailed, version=5))
        older = test.feed(sample_event(LoginFailed, version=4, event_id=sample_event(UserCreated).event_id))
    assert (again.dropped, again.handled, again.attempts) == ("duplicate", False, 0)
    assert (older.dropped, older.handled, older.attempts) == ("stale", False, 0)


def test_hooks_are_called_as_in_production() -> None:
    details: list[object] = []
    tested = subscriber(failing(9), hooks=[details.append], inbox=MemoryInbox(), policy=Policy(retry=SLOW))
    with SubscriberTest(tested) as test:
        test.feed(sample_event(LoginFailed, seed=1))
        tested_ok = sample_event(LoginSucceeded)
        test.feed(tested_ok)
    kinds = [type(detail) for detail in details]
    assert kinds.count(Retried) == 2
    assert kinds.count(DeadLettered) == 1
    assert Consumed in kinds
    assert Dropped not in kinds


def test_events_fed_together_are_handled_side_by_side_each_users_in_order() -> None:
    order: list[str] = []

    async def handle(event: AuthEvent, login: LoginFailed) -> None:
        order.append(f"{login.user_id} {event.version} begins")
        await asyncio.sleep(10)
        order.append(f"{login.user_id} {event.version} ends")

    events = [
        sample_event(LoginFailed, seed=number, user_id=user, version=version)
        for number, (user, version) in enumerate([("a", 1), ("a", 2), ("b", 1)])
    ]
    with SubscriberTest(subscriber(handle, policy=Policy(concurrency=2))) as test:
        assert all(result.handled for result in test.feed_all(events))
    assert order.index("b 1 begins") < order.index("a 1 ends") < order.index("a 2 begins")


def test_later_events_of_a_failed_users_overtake_it_only_if_the_policy_lets_them() -> None:
    def orders(after_failure: Any) -> list[int]:
        handled: list[int] = []
        failed: list[int] = []

        def handle(event: AuthEvent, _login: LoginFailed) -> None:
            if event.version == 1 and not failed:
                failed.append(1)
                raise ValueError
            handled.append(event.version)

        policy = Policy(retry=SLOW, after_failure=after_failure)
        events = [sample_event(LoginFailed, seed=n, user_id="a", version=n) for n in (1, 2)]
        with SubscriberTest(subscriber(handle, policy=policy)) as test:
            test.feed_all(events)
        return handled

    assert orders("hold-back") == [1, 2]
    assert orders("let-pass") == [2, 1]


def test_an_error_of_a_fatal_kind_stops_the_subscriber() -> None:
    tested = subscriber(failing(1, KeyError), policy=Policy(fatal=(KeyError,)))
    with SubscriberTest(tested) as test:
        result = test.feed(sample_event(LoginFailed))
        assert (result.stopped, type(result.error), result.settled) == (True, KeyError, False)
        with pytest.raises(ConfigurationError, match="has stopped"):
            test.feed(sample_event(LoginFailed))


def test_an_unknown_schema_waits_for_the_registry_and_is_not_dead_lettered() -> None:
    class RegistryAway:
        def writer_schema(self, schema_id: object) -> Any:
            raise RegistryUnavailable(f"asked for {schema_id}")

    tested = Subscriber(CONFIG, deserializer=AuthEventDeserializer(RegistryAway()))
    tested.on_any(lambda _event, _payload: None)
    with SubscriberTest(tested) as test:
        result = test.feed(b"\x00\x00\x00\x00\x07\x00rest", topic="auth.events.login", within=20)
    assert not result.settled
    assert test.dead_letters == []
    assert sum(test.delays) > 10


def test_an_event_of_a_topic_that_is_not_read_is_refused() -> None:
    with (
        SubscriberTest(subscriber()) as test,
        pytest.raises(ConfigurationError, match=r"does not read auth\.events\.user, but auth\.events\.login"),
    ):
        test.feed(sample_event(UserCreated))


def test_a_single_topic_and_a_pattern_are_read() -> None:
    for topics in (["auth.events"], [r"^auth\.events\..*n$"]):
        tested = subscriber(topics=topics)
        with SubscriberTest(tested) as test:
            assert test.feed(sample_event(LoginFailed)).handled


def test_a_subscriber_that_could_not_run_is_refused_as_in_production() -> None:
    tested = Subscriber(CONFIG, deserializer=AuthEventDeserializer(PinnedSchemas(1)))
    with pytest.raises(ConfigurationError, match="name topics"), SubscriberTest(tested):
        pass


def test_a_subscriber_is_itself_again_afterwards_and_can_be_tested_again() -> None:
    tested = subscriber(failing(9), policy=Policy(retry=SLOW))
    for _ in range(2):
        with SubscriberTest(tested) as test:
            test.feed(sample_event(LoginFailed))
            assert len(test.dead_letters) == 1
    assert tested._stand_in is None
    assert tested._dead_letters._core is None


def test_in_a_running_loop_it_says_what_to_use() -> None:
    async def main() -> None:
        with (
            pytest.raises(ConfigurationError, match=r"async with.*feed_async"),
            SubscriberTest(subscriber()),
        ):
            pass

    asyncio.run(main())


def test_async_tests_await_the_same_results() -> None:
    async def handle(_event: AuthEvent, _login: LoginFailed) -> None:
        await asyncio.sleep(100)

    async def main() -> None:
        async with SubscriberTest(subscriber(handle)) as test:
            assert (await test.feed_async(sample_event(LoginFailed))).handled
            both = [sample_event(LoginFailed, seed=seed) for seed in (1, 2)]
            assert [result.handled for result in await test.feed_all_async(both)] == [True, True]

    asyncio.run(main())


def test_a_handlers_thread_is_waited_for_and_no_timeout_comes_early() -> None:
    async def handle(_event: AuthEvent, _login: LoginFailed) -> None:
        async with asyncio.timeout(30):
            await asyncio.to_thread(threading.Event().wait, 0.05)

    with SubscriberTest(subscriber(handle)) as test:
        result = test.feed(sample_event(LoginFailed))
    assert (result.handled, result.attempts) == (True, 1)


def test_a_librarys_thread_that_calls_back_is_waited_for() -> None:
    async def handle(_event: AuthEvent, _login: LoginFailed) -> None:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[None] = loop.create_future()

        def answer() -> None:
            threading.Event().wait(0.05)
            loop.call_soon_threadsafe(answered.set_result, None)

        thread = threading.Thread(target=answer)
        thread.start()
        async with asyncio.timeout(30):
            await answered
        thread.join()

    with SubscriberTest(subscriber(handle)) as test:
        result = test.feed(sample_event(LoginFailed))
    assert (result.handled, result.attempts) == (True, 1)
