"""A schema that must be asked for holds up the events of its key, and nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from immersiverse.auth.events import AuthEventDeserializer, SchemaRegistry
from immersiverse.auth.events.errors import SchemaRefused
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.observability.hooks import DeadLettered, DecodeFailed, Detail, Retried
from immersiverse.auth.events.registry.contract import contract_schema
from scheduling import Stage, record, until
from scripted_registry import Answering, Scripted, scripted

KNOWN, OTHER = 1, 2
SOON = Retry(attempts=3, first=0.0, jitter=0.0)
CONTRACT = {"schemaType": "PROTOBUF", "schema": contract_schema("PROTOBUF").text}


def written(offset: int, user: str, schema_id: int):
    """A message whose frame names an id."""
    value = record(offset, user).value()
    assert value is not None
    return record(offset, user, value=b"\x00" + schema_id.to_bytes(4) + value[5:])


@contextmanager
def registry(other: Callable[[Answering], None]) -> Iterator[tuple[Scripted, SchemaRegistry]]:
    """A registry that holds the contract under one id, and does as the test wants for every other."""

    def answer(path: str, answering: Answering) -> None:
        if path.endswith(f"/ids/{KNOWN}"):
            answering.say(CONTRACT)
        else:
            other(answering)

    with (
        scripted(answer) as server,
        SchemaRegistry({"url": server.url, "max.retries": 0, "timeout": 20}) as client,
    ):
        yield server, client
        for name in ("auth-events-reader", "auth-events-registry"):  # the latter are started by the former
            for thread in threading.enumerate():
                if thread.name == name:
                    thread.join(20)  # or its connection would be closed under it


def late(when: threading.Event) -> Callable[[Answering], None]:
    """Says nothing until then."""

    def answer(answering: Answering) -> None:
        when.wait(20)
        answering.say(CONTRACT)

    return answer


async def stage_of(client: SchemaRegistry, handled: list[int], after_failure="hold-back", **options) -> Stage:
    """A scheduler that has handled offset 0 of user a, and so knows an id."""
    stage = Stage(
        lambda _, payload: handled.append(int(payload.session_id)),
        Policy(retry=SOON, after_failure=after_failure),
        deserializer=AuthEventDeserializer(client),
        **options,
    )
    await stage.handle(written(0, "a", KNOWN))
    return stage


def test_events_of_others_go_on_while_an_id_is_asked_for_and_those_of_its_key_wait_in_order():
    answered = threading.Event()

    async def run() -> None:
        handled: list[int] = []
        with registry(late(answered)) as (_, client):
            stage = await stage_of(client, handled)
            others = [written(offset, f"u-{offset}", KNOWN) for offset in range(3, 40)]
            stage.deliver([written(1, "b", OTHER), written(2, "b", KNOWN), *others])
            await until(lambda: set(range(3, 40)) <= set(handled))
            assert stage.commits() == {0: 1}  # not beyond the event that waits
            assert not {1, 2} & set(handled)
            answered.set()
            await stage.finished(40)
            assert handled[-2:] == [1, 2]
            assert stage.commits() == {0: 40}
            await stage.scheduler.close()

    asyncio.run(run())


def test_many_ids_that_hang_hold_up_no_event_whose_schema_is_known():
    hang = threading.Event()

    async def run() -> None:
        handled: list[int] = []
        with registry(late(hang)) as (_, client):
            stage = await stage_of(client, handled)
            stage.deliver([written(offset, f"b-{offset}", 1000 + offset) for offset in range(1, 50)])
            stage.deliver([written(offset, f"a-{offset}", KNOWN) for offset in range(50, 100)])
            await until(lambda: len(handled) == 51)
            await stage.scheduler.close()
            hang.set()

    asyncio.run(run())


def test_a_partition_goes_at_once_while_an_id_of_it_is_asked_for():
    hang = threading.Event()

    async def run() -> None:
        handled: list[int] = []
        with registry(late(hang)) as (server, client):
            stage = await stage_of(client, handled)
            stage.deliver([written(1, "b", OTHER)])
            await until(lambda: len(server.asked) > 1)
            async with asyncio.timeout(10):
                assert await stage.release(0, 60) == {(written(1, "b", OTHER).topic(), 0): 1}
            hang.set()
            await stage.finished(2)
            await stage.scheduler.close()
        assert handled == [0]

    asyncio.run(run())


@pytest.mark.parametrize("after_failure", ["hold-back", "let-pass"])
def test_an_id_that_is_refused_while_another_is_answered_is_a_dead_letter_after_the_attempts(after_failure):
    details: list[Detail] = []

    async def run() -> None:
        handled: list[int] = []
        with registry(lambda answering: answering.refuse(40301)) as (server, client):
            stage = await stage_of(client, handled, after_failure, hooks=[details.append])
            await stage.handle(written(1, "b", OTHER), written(2, "b", KNOWN))
            assert stage.dead_letters.offsets == [1]
            ((_, error, attempts),) = stage.dead_letters.sent
            assert isinstance(error, SchemaRefused)
            assert attempts == 0  # no handler has seen it
            assert server.asked.count(f"/schemas/ids/{OTHER}") == SOON.attempts
            assert handled == [0, 2]
            assert stage.commits() == {0: 3}
            await stage.scheduler.close()

    asyncio.run(run())
    assert [type(one) for one in details if isinstance(one, Retried | DecodeFailed | DeadLettered)] == [
        *[Retried] * (SOON.attempts - 1),
        DecodeFailed,
        DeadLettered,
    ]


@pytest.mark.parametrize("code", [40101, 42901, 50301])
def test_an_id_that_is_refused_for_a_while_waits_however_often_it_is_asked_for(code):
    left = [None] * (SOON.attempts + 5)

    def refuses(answering: Answering) -> None:
        if left:
            left.pop()
            answering.refuse(code)
        else:
            answering.say(CONTRACT)

    async def run() -> None:
        handled: list[int] = []
        with registry(refuses) as (_, client):
            stage = await stage_of(client, handled)
            await stage.handle(written(1, "b", OTHER))
            assert handled == [0, 1]
            assert stage.dead_letters.sent == []
            await stage.scheduler.close()

    asyncio.run(run())


def test_refusals_of_an_id_are_no_attempts_of_the_handler():
    left = [None] * (SOON.attempts - 1)
    attempts: list[int] = []

    def refuses(answering: Answering) -> None:
        if left:
            left.pop()
            answering.refuse(40301)
        else:
            answering.say(CONTRACT)

    async def run() -> None:
        with registry(refuses) as (_, client):
            stage = Stage(
                lambda _event, _payload, context: attempts.append(context.attempt),
                Policy(retry=SOON),
                deserializer=AuthEventDeserializer(client),
            )
            await stage.handle(written(0, "a", KNOWN))
            await stage.handle(written(1, "b", OTHER))
            await stage.scheduler.close()

    asyncio.run(run())
    assert attempts == [1, 1]
