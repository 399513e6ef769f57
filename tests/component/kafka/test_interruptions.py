"""What breaks off in the middle loses nothing, and a subscriber that cannot go on ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from immersiverse.auth.events import AuthEventDeserializer, Publisher, Subscriber
from immersiverse.auth.events.kafka.config import consumer_settings
from immersiverse.auth.events.kafka.consumer.offsets import OffsetCommitter
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.poller import Poller
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
from immersiverse.auth.events.kafka.record import Record
from immersiverse.auth.events.testing.broker import EmbeddedBroker
from integration.running import ToTopic, eventually, logged_out, running
from scheduling import TOPIC, Stage, record, until

NO_BROKER = {"bootstrap.servers": "127.0.0.1:1", "group.id": "g"}


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    with EmbeddedBroker() as broker:
        with Publisher({"bootstrap.servers": broker.bootstrap}, serializer=ToTopic(TOPIC)) as publisher:
            for number in range(20):
                publisher.send(logged_out("u-1", str(number)))
        yield broker.bootstrap


def of(bootstrap: str, group: str, concurrency: int) -> Subscriber:
    config = {"bootstrap.servers": bootstrap, "group.id": group, "group.protocol": "consumer"}
    policy = Policy(concurrency=concurrency)
    return Subscriber(config, [TOPIC], deserializer=AuthEventDeserializer(), policy=policy)


class Interrupted:
    """A message during which a signal comes: after it was taken from its run, outside of the handler."""

    def __init__(self, message: Record) -> None:
        self._message = message

    def __getattr__(self, name: str) -> Any:
        return getattr(self._message, name)

    def offset(self) -> int:
        """Where the signal comes."""
        raise KeyboardInterrupt


def test_a_signal_between_two_events_stops_and_nothing_passes_the_one_that_it_met() -> None:
    async def run() -> None:
        handled: list[str] = []
        stage = Stage(lambda _event, payload: handled.append(payload.session_id))
        stage.deliver([record(0), cast("Record", Interrupted(record(1))), record(2)])
        await until(lambda: bool(stage.stopped_by))
        stage.deliver([record(3)])
        await asyncio.sleep(0.01)
        assert isinstance(stage.stopped_by[0], KeyboardInterrupt)
        assert (handled, stage.commits()) == (["0", "1"], {0: 1})

    asyncio.run(run())


def test_a_partition_that_goes_and_comes_back_while_a_handler_blocks_everything_is_handled() -> None:
    async def run() -> None:
        handled: list[str] = []
        stage = Stage(lambda _event, payload: handled.append(payload.session_id))
        poller = Poller(
            consumer_settings(NO_BROKER), [TOPIC], stage.scheduler, loop=asyncio.get_running_loop(),
            policy=Policy(backlog=9, drain=0), notify=HookDispatcher(()), on_error=stage.stopped_by.append,
        )  # fmt: skip
        partition = [TopicPartition(TOPIC, 0)]

        def rebalance() -> None:
            poller._on_revoke(poller._consumer, partition)
            poller._on_assign(poller._consumer, partition)
            poller._fetched = cast("Any", [record(0), record(1)])
            poller._hand_over()

        in_the_pollers_thread = threading.Thread(target=rebalance)
        in_the_pollers_thread.start()
        in_the_pollers_thread.join()  # meanwhile the event loop gets no turn
        await stage.finished(2)
        assert handled == ["0", "1"]
        assert stage.commits() == {0: 2}
        poller._consumer.close()

    asyncio.run(run())


def test_what_was_asked_to_be_committed_of_a_lost_partition_is_not() -> None:
    with EmbeddedBroker(topics=["t"]) as broker:
        consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "g", "log_level": 2})
        consumer.assign([TopicPartition("t", 0)])
        commits = OffsetCommitter(stored=False, notify=HookDispatcher(()), on_failure=lambda _: None)
        commits.request({("t", 0): 1, ("t", 1): 1})
        commits.commit_pending(consumer)
        both = [TopicPartition("t", 0), TopicPartition("t", 1)]
        eventually(lambda: consumer.committed(both, 10)[0].offset == 1)
        assert consumer.committed(both, 10)[1].offset < 0
        consumer.close()


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("kind", ["plain", "async"])
def test_no_event_is_begun_after_a_handler_has_stopped_the_subscriber(
    bootstrap: str, kind: str, concurrency: int
) -> None:
    config = {
        "bootstrap.servers": bootstrap,
        "group.id": f"{kind}-{concurrency}",
        "group.protocol": "consumer",
    }
    subscriber = Subscriber(
        config, [TOPIC], deserializer=AuthEventDeserializer(), policy=Policy(concurrency=concurrency)
    )
    handled: list[int] = []

    def plain(_event: Any, payload: Any) -> None:
        handled.append(int(payload.session_id))
        if len(handled) == 7:
            subscriber.stop()

    async def waiting(event: Any, payload: Any) -> None:
        plain(event, payload)

    subscriber.on_any(waiting if kind == "async" else plain)
    subscriber.run()
    assert handled == list(range(7))


def test_a_callback_that_exits_ends_the_subscriber_with_that() -> None:
    def exits(_: KafkaError) -> None:
        raise SystemExit(3)

    subscriber = Subscriber({**NO_BROKER, "error_cb": exits}, [TOPIC], deserializer=AuthEventDeserializer())
    with pytest.raises(SystemExit, match="3"):
        subscriber.run()


def test_a_second_cancellation_while_it_ends_leaves_no_handler_running(bootstrap: str) -> None:
    subscriber = of(bootstrap, "twice", concurrency=2)
    begun, ended = asyncio.Event(), asyncio.Event()

    @subscriber.on_any
    async def never(_event: Any, _payload: Any) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def run() -> None:
        task = asyncio.create_task(subscriber.run_async())
        await begun.wait()
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.05)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    asyncio.run(run())


def test_stopping_what_has_ended_just_now_is_no_error() -> None:
    subscriber = Subscriber(NO_BROKER, [TOPIC], deserializer=AuthEventDeserializer())
    with running(subscriber):
        eventually(lambda: subscriber._running)
        run = subscriber._running
    assert run is not None
    assert run.loop.is_closed()
    run.stop()  # by another thread that saw it just before
