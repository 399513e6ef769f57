"""A subscriber calls a function for each event, at least once, and never commits what is not done."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from immersiverse.auth.events import (
    AuthEventDeserializer,
    AuthEventSerializer,
    ConfigurationError,
    Context,
    LoggedOut,
    LoginFailed,
    MemoryInbox,
    PinnedSchemas,
    Policy,
    Subscriber,
    UserDeleted,
)
from immersiverse.auth.events.observability.hooks import Committed, Detail, Dropped
from integration.kafka.cluster import SOON, Cluster, event
from integration.running import eventually, running
from later_version import newer_event

# A group gives a member up after three seconds.
IMPATIENT = {"session.timeout.ms": 3_000, "heartbeat.interval.ms": 500, "max.poll.interval.ms": 3_000}


def number(payload: Any) -> int:
    """Which of a test's events it is."""
    return int(payload.session_id)


@pytest.fixture
def group() -> str:
    """A consumer group of the test's own."""
    return f"group-{uuid.uuid4()}"


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
@pytest.mark.parametrize("auto", [False, True], ids=["commits", "stores"])
def test_every_event_is_handled_once_and_committed(
    cluster: Cluster, group: str, protocol: str, auto: bool
) -> None:
    topic = cluster.create()
    cluster.publish(topic, *(event(f"u-{n % 9}", n) for n in range(1_000)))
    config = {"group.protocol": protocol, "enable.auto.commit": auto, "auto.commit.interval.ms": 100}
    subscriber = cluster.subscriber(topic, group, config=config)
    seen: list[int] = []

    @subscriber.on(LoggedOut)
    def handle(_event: Any, payload: LoggedOut) -> None:
        seen.append(number(payload))

    with running(subscriber):
        eventually(lambda: sum(cluster.committed(group).values()) == 1_000)
    assert sorted(seen) == list(range(1_000))
    for user in range(9):
        assert [n for n in seen if n % 9 == user] == list(range(user, 1_000, 9))


def test_what_finished_last_is_committed_when_it_stops(cluster: Cluster, group: str) -> None:
    topic = cluster.create(partitions=1)
    cluster.publish(topic, *(event("a", n) for n in range(10)))
    subscriber = cluster.subscriber(topic, group, commit_interval=3600)

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        if number(payload) == 9:
            subscriber.stop()

    subscriber.run()
    assert cluster.committed(group) == {0: 10}


def test_each_type_goes_to_its_function_and_the_rest_to_the_one_for_all(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1)
    cluster.publish(topic, event("a", 0))
    subscriber = cluster.subscriber(topic)
    called: list[str] = []

    @subscriber.on(LoginFailed, UserDeleted)
    def named(_event: Any, _payload: Any) -> None:
        called.append("named")

    @subscriber.on_any
    def rest(_event: Any, payload: Any) -> None:
        called.append(type(payload).__name__)
        subscriber.stop()

    subscriber.run()
    assert called == ["LoggedOut"]


def test_a_handler_that_asks_gets_where_the_event_came_from(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1)
    sent = event("a")
    cluster.publish(topic, sent)
    subscriber = cluster.subscriber(topic)
    contexts: list[Context] = []

    @subscriber.on(LoggedOut)
    async def handle(received: Any, _payload: LoggedOut, context: Context) -> None:
        assert received == sent
        contexts.append(context)
        subscriber.stop()

    subscriber.run()
    (context,) = contexts
    assert (context.topic, context.partition, context.offset, context.attempt) == (topic, 0, 0, 1)
    assert context.key == b"a"
    assert ("ce_id", sent.event_id.encode()) in context.headers


def test_types_of_a_later_contract_go_to_the_function_for_unknown_ones(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1)
    producer = Producer(cluster.config)
    value = b"\x00\x00\x00\x00\x01\x00" + newer_event(user_id="a").SerializeToString()
    producer.produce(topic, value, b"a")
    producer.flush()
    subscriber = cluster.subscriber(topic, deserializer=AuthEventDeserializer())
    seen: list[Any] = []

    @subscriber.on_unknown
    async def handle(unknown: Any) -> None:
        seen.append(unknown)
        subscriber.stop()

    subscriber.run()
    assert seen[0].event_type == "#200"


def test_tombstones_and_types_without_a_function_are_passed_over(cluster: Cluster, group: str) -> None:
    topic = cluster.create(partitions=1)
    cluster.publish(topic, event("a"))
    producer = Producer(cluster.config)
    producer.produce(topic, None, b"a")
    producer.flush()
    subscriber = cluster.subscriber(topic, group)
    subscriber.on(LoginFailed)(lambda _event, _payload: None)
    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 2})


@pytest.mark.parametrize("form", ["protobuf", "json", "avro"])
def test_every_format_is_read(cluster: Cluster, form: Any) -> None:
    topic, schemas = cluster.create(partitions=1), PinnedSchemas(1, avro=2)
    sent = event("a")
    message = AuthEventSerializer(schemas, format=form).serialize(sent)
    producer = Producer(cluster.config)
    producer.produce(topic, message.value, message.key, headers=list(message.headers))
    producer.flush()
    subscriber = cluster.subscriber(topic, deserializer=AuthEventDeserializer(schemas))

    @subscriber.on_any
    def handle(received: Any, _payload: Any) -> None:
        assert received == sent
        subscriber.stop()

    subscriber.run()


@pytest.mark.parametrize("kind", ["async", "threads"])
def test_users_are_handled_side_by_side_and_each_in_order(cluster: Cluster, kind: str) -> None:
    topic = cluster.create()
    users, each = 16, 10
    cluster.publish(topic, *(event(f"u-{n % users}", n) for n in range(users * each)))
    subscriber = cluster.subscriber(topic, policy=Policy(concurrency=users))
    seen: list[int] = []
    running_now, most, lock = 0, 0, threading.Lock()

    def begin() -> None:
        nonlocal running_now, most
        with lock:
            running_now += 1
            most = max(most, running_now)

    def end(payload: Any) -> None:
        nonlocal running_now
        with lock:
            running_now -= 1
            seen.append(number(payload))
        if len(seen) == users * each:
            subscriber.stop()

    if kind == "async":

        @subscriber.on_any
        async def wait(_event: Any, payload: Any) -> None:
            begin()
            await asyncio.sleep(0.02)
            end(payload)

    else:

        @subscriber.on_any
        def block(_event: Any, payload: Any) -> None:
            begin()
            time.sleep(0.02)
            end(payload)

    subscriber.run()
    assert 4 < most <= users
    for user in range(users):
        assert [n for n in seen if n % users == user] == list(range(user, users * each, users))


def test_what_was_not_finished_is_handled_again_after_a_restart_and_nothing_is_skipped(
    cluster: Cluster, group: str
) -> None:
    topic = cluster.create(partitions=1)
    cluster.publish(topic, *(event(f"u-{n}", n) for n in range(20)))
    first = cluster.subscriber(topic, group, policy=Policy(concurrency=30), drain=0.2)
    handled: list[int] = []

    @first.on_any
    async def stuck_at_five(_event: Any, payload: Any) -> None:
        if number(payload) == 5:
            await asyncio.Event().wait()
        handled.append(number(payload))

    with running(first):
        eventually(lambda: len(handled) == 19)
        eventually(lambda: cluster.committed(group) == {0: 5})
    assert cluster.committed(group) == {0: 5}
    second = cluster.subscriber(topic, group)
    again: list[int] = []

    @second.on_any
    def handle(_event: Any, payload: Any) -> None:
        again.append(number(payload))

    with running(second):
        eventually(lambda: cluster.committed(group) == {0: 20})
    assert again == list(range(5, 20))


def test_slow_handlers_keep_their_membership_and_bound_the_backlog(cluster: Cluster, group: str) -> None:
    topic = cluster.create(partitions=2)
    cluster.publish(topic, *(event(f"u-{n % 40}", n) for n in range(2_000)))
    subscriber = cluster.subscriber(
        topic, group, config=IMPATIENT, policy=Policy(concurrency=20), backlog=200
    )
    count, most = 0, 0

    @subscriber.on_any
    async def handle(_event: Any, _payload: Any) -> None:
        nonlocal count, most
        most = max(most, len(asyncio.all_tasks()))
        await asyncio.sleep(0.05)
        count += 1

    with running(subscriber):
        time.sleep(4)
        assert count < 2_000
        seen_then = count
        eventually(lambda: count == 2_000)
    assert seen_then > 500
    assert count == 2_000, "a member that was given up would have handled events again"
    assert sum(cluster.committed(group).values()) == 2_000


def test_a_plain_handler_that_blocks_beyond_the_poll_interval_keeps_its_membership(
    cluster: Cluster, group: str
) -> None:
    topic = cluster.create(partitions=1)
    cluster.publish(topic, event("a", 0), event("a", 1))
    subscriber = cluster.subscriber(topic, group, config=IMPATIENT)
    seen: list[int] = []

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        if not seen:
            time.sleep(4)
        seen.append(number(payload))

    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 2})
    assert seen == [0, 1]


def test_an_inbox_drops_duplicates_and_a_hook_counts_them(cluster: Cluster, group: str) -> None:
    topic = cluster.create(partitions=1)
    sent = event("a", 7)
    cluster.publish(topic, sent, sent, event("a", 3), event("a", 8))
    heard: list[Detail] = []
    subscriber = cluster.subscriber(topic, group, inbox=MemoryInbox(), hooks=[heard.append])
    seen: list[int] = []
    subscriber.on_any(lambda _event, payload: seen.append(number(payload)))
    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 4})
    assert seen == [7, 8]
    assert [d.reason for d in heard if isinstance(d, Dropped)] == ["duplicate", "stale"]
    assert [d.error for d in heard if isinstance(d, Committed)] != []


def test_the_specifications_file_runs(cluster: Cluster, group: str, tmp_path: Path) -> None:
    topic = cluster.create(partitions=1)
    cluster.publish(topic, event("a"))
    path = tmp_path / "consumer.yaml"
    path.write_text(f'auth-consumer:\n  bootstrap.servers: "x:1"\n  group.id: "{group}"\n  topics: [ "t" ]\n')
    environ = {"AUTH_CONSUMER_BOOTSTRAP_SERVERS": cluster.bootstrap, "AUTH_CONSUMER_TOPICS": topic}
    subscriber = Subscriber.from_yaml(
        path, deserializer=AuthEventDeserializer(PinnedSchemas(1)), environ=environ
    )
    seen: list[int] = []

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        seen.append(number(payload))
        subscriber.stop()

    subscriber.run()
    assert seen == [0]


def test_it_runs_again_after_it_was_stopped(cluster: Cluster, group: str) -> None:
    topic = cluster.create(partitions=1)
    subscriber = cluster.subscriber(topic, group)
    seen: list[int] = []

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        seen.append(number(payload))
        subscriber.stop()

    for round_ in range(2):
        cluster.publish(topic, event("a", round_))
        subscriber.run()
    assert seen == [0, 1]


def test_a_stop_before_the_start_is_a_stop(cluster: Cluster) -> None:
    subscriber = cluster.subscriber(cluster.create())
    subscriber.on_any(lambda _event, _payload: None)
    subscriber.stop()
    subscriber.run()


def test_it_cannot_run_twice_at_a_time_nor_without_topics(cluster: Cluster) -> None:
    subscriber = cluster.subscriber(cluster.create())
    subscriber.on_any(lambda _event, _payload: None)
    with running(subscriber):
        eventually(lambda: subscriber._running is not None)
        with pytest.raises(ConfigurationError, match="is running already"):
            subscriber.run()
    nothing = Subscriber({**cluster.config, "group.id": "g"}, deserializer=AuthEventDeserializer())
    with pytest.raises(ConfigurationError, match="name topics"):
        nothing.run()


def test_it_runs_in_a_loop_of_the_users_and_cancelling_it_is_a_clean_stop(
    cluster: Cluster, group: str
) -> None:
    topic = cluster.create(partitions=1)
    cluster.publish(topic, event("a", 0))
    subscriber = cluster.subscriber(topic, group, policy=Policy(concurrency=2, retry=SOON))
    begun = threading.Event()

    @subscriber.on_any
    async def handle(_event: Any, _payload: Any) -> None:
        begun.set()
        await asyncio.sleep(0.3)

    async def work() -> None:
        task = asyncio.create_task(subscriber.run_async())
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())
    assert cluster.committed(group) == {0: 1}


def test_a_broker_that_is_away_does_not_keep_a_subscriber_from_stopping() -> None:
    subscriber = Subscriber(
        {"bootstrap.servers": "127.0.0.1:1", "group.id": "g"}, ["t"], deserializer=AuthEventDeserializer()
    )
    begun = time.monotonic()
    with running(subscriber):
        time.sleep(1)
    assert time.monotonic() - begun < 15
