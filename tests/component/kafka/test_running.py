"""What a running subscriber does to its event loop, and what it says in the log."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from immersiverse.auth.events import AuthEventDeserializer, Policy, Publisher, SchemaRegistry, Subscriber
from immersiverse.auth.events.testing.broker import EmbeddedBroker
from integration.running import ToTopic, eventually, logged_out, running
from scheduling import TOPIC
from scripted_registry import Answering, scripted

NO_BROKER = {"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "reconnect.backoff.max.ms": 100}
EVENTS = 3
LONGEST_TURN = 0.3  # seconds that the event loop may be away; the handler and the registry take longer


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    with EmbeddedBroker() as broker:
        with Publisher({"bootstrap.servers": broker.bootstrap}, serializer=ToTopic(TOPIC)) as publisher:
            for number in range(EVENTS):
                publisher.publish(logged_out("u-1", str(number)))
        yield broker.bootstrap


def reader(bootstrap: str, **options: Any) -> Subscriber:
    """A subscriber of a new group."""
    config = {
        "bootstrap.servers": bootstrap, "group.id": f"group-{uuid.uuid4()}", "group.protocol": "consumer",
    }  # fmt: skip
    options.setdefault("deserializer", AuthEventDeserializer())
    return Subscriber(config, [TOPIC], **options)


async def longest_turn(subscriber: Subscriber) -> float:
    """Run a subscriber in this loop until it ends; the longest time that the loop was away."""
    task, longest, last = asyncio.create_task(subscriber.run_async()), 0.0, time.monotonic()
    while not task.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    await task
    return longest


def test_a_plain_handler_that_blocks_does_not_block_the_event_loop_of_others(bootstrap: str) -> None:
    subscriber, threads = reader(bootstrap), list[str]()

    @subscriber.on_any
    def slow(_event: Any, payload: Any) -> None:
        time.sleep(2 * LONGEST_TURN)
        threads.append(threading.current_thread().name)
        if int(payload.session_id) == EVENTS - 1:
            subscriber.stop()

    assert asyncio.run(longest_turn(subscriber)) < LONGEST_TURN
    assert threads == ["auth-events-handler"] * EVENTS, "one after the other, in a thread"


def test_a_plain_handler_of_a_subscriber_with_a_loop_of_its_own_runs_in_the_callers_thread(
    bootstrap: str,
) -> None:
    subscriber, threads = reader(bootstrap), set[threading.Thread]()

    @subscriber.on_any
    def handle(_event: Any, _payload: Any) -> None:
        threads.add(threading.current_thread())
        subscriber.stop()

    subscriber.run()
    assert threads == {threading.current_thread()}


def test_a_registry_that_hangs_does_not_block_the_event_loop_of_others(bootstrap: str) -> None:
    asked = threading.Event()
    go_on = threading.Event()

    def hang(_path: str, answering: Answering) -> None:
        asked.set()
        go_on.wait(20)
        answering.refuse(50001)

    with scripted(hang) as server, SchemaRegistry({"url": server.url, "max.retries": 0}) as registry:
        subscriber = reader(bootstrap, deserializer=AuthEventDeserializer(registry), policy=Policy(drain=1))
        subscriber.on_any(lambda _event, _payload: None)

        def stop_later() -> None:
            assert asked.wait(20)
            time.sleep(2 * LONGEST_TURN)
            subscriber.stop()

        threading.Thread(target=stop_later).start()
        assert asyncio.run(longest_turn(subscriber)) < LONGEST_TURN
        go_on.set()
        for thread in threading.enumerate():
            if thread.name in {"auth-events-reader", "auth-events-registry"}:
                thread.join(20)  # or its connection would be closed under it
    assert asked.is_set()


def test_the_log_says_what_is_consumed_assigned_and_revoked_once(
    bootstrap: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "immersiverse")
    subscriber = reader(bootstrap)
    subscriber.on_any(lambda _event, payload: int(payload.session_id) < EVENTS - 1 or subscriber.stop())
    subscriber.run()
    group = subscriber._settings["group.id"]
    said = [entry.getMessage() for entry in caplog.records if entry.levelno == logging.INFO]
    assert said[0] == f"group {group}: consuming {TOPIC}"
    assert said[-1] == f"group {group}: the subscriber has ended"
    changes = [line for line in said if "assigned" in line or "revoked" in line]
    assert [line.split(" [")[0] for line in changes] == [
        f"group {group}: assigned {TOPIC}",
        f"group {group}: revoked {TOPIC}",
    ]


def test_a_broker_that_is_away_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    subscriber = Subscriber(NO_BROKER, ["auth.events.login"], deserializer=AuthEventDeserializer())
    with running(subscriber):
        eventually(lambda: "cannot use broker" in caplog.text)
        time.sleep(1)  # librdkafka tries again several times
    lines = [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.WARNING]
    assert len(lines) == 1, lines
    assert "consumer cannot use broker 127.0.0.1:1" in lines[0]
