"""An event loop that publishes goes on while the registry is asked for a schema id."""

from __future__ import annotations

import asyncio
import threading

import pytest

from immersiverse.auth.events import (
    AsyncPublisher,
    AuthEvent,
    AuthEventSerializer,
    LoggedOut,
    LoginFailed,
    Publisher,
    RegistryUnavailable,
    SchemaRegistry,
    UserCreated,
    catalog,
    new_event,
)
from immersiverse.auth.events.testing.stack import EmbeddedStack
from scheduling import until
from scripted_registry import Answering, scripted
from serialization_samples import TIME

BROKERS = {"bootstrap.servers": "in-the-process:1", "test.mock.num.brokers": 1, "linger.ms": 0}


def registry(url):
    return SchemaRegistry({"url": url, "max.retries": 0, "timeout": 20})


def created():
    return new_event(
        UserCreated(user_id="u", username="a", created_at=TIME), source="/services/auth", version=1
    )


def event(user, number):
    payload = LoggedOut(user_id=user, session_id=str(number), logged_out_at=TIME)
    return new_event(payload, source="/services/auth", version=number + 1)


def registered(path: str, answering: Answering) -> None:
    """Answer a look-up: everything has the id 1."""
    subject = path.split("/")[2]
    answering.say({"subject": subject, "id": 1, "version": 1, "schema": "x", "schemaType": "PROTOBUF"})


def test_the_loop_goes_on_and_events_stay_in_order():
    asked, answered = threading.Event(), threading.Event()

    def late(path: str, answering: Answering) -> None:
        asked.set()
        answered.wait(20)
        registered(path, answering)

    async def run(bootstrap: str, client: SchemaRegistry) -> list[str]:
        ended: list[str] = []
        publisher = AsyncPublisher({"bootstrap.servers": bootstrap}, serializer=AuthEventSerializer(client))
        sending = [
            asyncio.create_task(
                publisher.send(
                    event("u", number), on_done=lambda one: ended.append(one.event.logged_out.session_id)
                )
            )
            for number in range(20)
        ]
        await until(asked.is_set)  # which would not return if the loop stood still
        assert not any(task.done() for task in sending)
        answered.set()
        await asyncio.gather(*sending)
        await publisher.flush(20)
        await publisher.close()
        return ended

    with (
        EmbeddedStack() as stack,
        scripted(late) as server,
        SchemaRegistry({"url": server.url, "max.retries": 0, "timeout": 30}) as client,
    ):
        ended = asyncio.run(asyncio.wait_for(run(stack.bootstrap, client), 60))
    assert ended == [str(number) for number in range(20)]


def test_an_event_waits_for_one_of_its_topic_whose_look_up_has_failed_and_is_repeated():
    ended, failures = [], iter(["away"])

    def once_away(path: str, answering: Answering) -> None:
        if next(failures, None):
            answering.say("away", 503)
        else:
            registered(path, answering)

    async def run(client: SchemaRegistry) -> None:
        async def send(number: int) -> None:
            await publisher.send(
                event("u", number), on_done=lambda one: ended.append(one.event.logged_out.session_id)
            )

        publisher = AsyncPublisher(BROKERS, serializer=AuthEventSerializer(client))
        await asyncio.gather(*(send(number) for number in range(3)))
        await publisher.close()

    with scripted(once_away) as server, registry(server.url) as client:
        asyncio.run(asyncio.wait_for(run(client), 60))
    assert ended == ["0", "1", "2"]


def test_an_event_of_a_known_type_waits_behind_events_of_its_topic_that_still_wait():
    ended = []

    async def run(client: SchemaRegistry) -> None:
        async def send(*events: AuthEvent) -> None:
            for each in events:
                await publisher.send(each, on_done=lambda one: ended.append(one.event.version))

        publisher = AsyncPublisher(BROKERS, serializer=AuthEventSerializer(client))
        second = LoginFailed(user_id="u", ip_address="203.0.113.7", failed_at=TIME, reason=1)
        await asyncio.gather(
            send(event("u", 0), event("u", 2)),
            send(new_event(second, source="/services/auth", version=2)),
        )
        await publisher.close()

    with scripted(registered) as server, registry(server.url) as client:
        asyncio.run(asyncio.wait_for(run(client), 60))
    assert ended == [1, 2, 3]


def test_entering_and_being_ready_look_up_every_topic_before_the_first_event():
    async def run(client: SchemaRegistry) -> None:
        async with AsyncPublisher(BROKERS, serializer=AuthEventSerializer(client)) as publisher:
            asked = len(server.asked)
            assert all(any(topic in path for path in server.asked) for topic in catalog.TOPICS)
            await publisher.ready()
            assert (await publisher.publish(event("u", 0))).offset == 0
            assert len(server.asked) == asked

    with scripted(registered) as server, registry(server.url) as client:
        asyncio.run(asyncio.wait_for(run(client), 60))
    with (
        scripted(registered) as server,
        registry(server.url) as client,
        Publisher(BROKERS, serializer=AuthEventSerializer(client)) as publisher,
    ):
        publisher.ready("auth.events.login")
        asked = len(server.asked)
        assert publisher.publish(event("u", 0)).offset == 0
        assert 0 < len(server.asked) == asked


def test_events_wait_for_a_registry_that_comes_back_and_those_of_known_topics_do_not_wait():
    away = threading.Event()

    def answer(path: str, answering: Answering) -> None:
        if away.is_set():
            answering.say("away", 503)
        else:
            registered(path, answering)

    async def run(client: SchemaRegistry) -> None:
        publisher = AsyncPublisher(BROKERS, serializer=AuthEventSerializer(client), registry_timeout=30)
        await publisher.ready("auth.events.user")
        away.set()
        waiting = asyncio.create_task(publisher.publish(event("u", 0)))
        await until(lambda: len(server.asked) > 2)
        assert (await asyncio.wait_for(publisher.publish(created()), 10)).offset == 0
        assert not waiting.done()
        away.clear()
        assert (await waiting).offset == 0
        await publisher.close()

    with scripted(answer) as server, registry(server.url) as client:
        asyncio.run(asyncio.wait_for(run(client), 60))


def test_an_event_waits_for_a_registry_as_long_as_the_caller_says():
    def never(_path: str, answering: Answering) -> None:
        answering.server.gone.wait(20)

    async def run(client: SchemaRegistry) -> None:
        publisher = AsyncPublisher(BROKERS, serializer=AuthEventSerializer(client), registry_timeout=0.3)
        with pytest.raises(RegistryUnavailable, match=r"auth\.events\.login is not known after 0\.3 s"):
            await publisher.publish(event("u", 0))
        await publisher.close()

    def away(_path: str, answering: Answering) -> None:
        answering.say("away", 503)

    with scripted(never) as server, registry(server.url) as client:
        asyncio.run(asyncio.wait_for(run(client), 15))
    with (
        scripted(away) as server,
        registry(server.url) as client,
        Publisher(BROKERS, serializer=AuthEventSerializer(client), registry_timeout=0.8) as publisher,
    ):
        with pytest.raises(RegistryUnavailable):
            publisher.publish(event("u", 0))
        assert len(server.asked) > 1
