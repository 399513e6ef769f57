"""A subscriber with a SQL inbox is tested with its database, and without Kafka."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from immersiverse.auth.events import (
    AsyncSqlInbox,
    AuthEvent,
    AuthEventDeserializer,
    Context,
    LoginFailed,
    Policy,
    SqlInbox,
    Subscriber,
)
from immersiverse.auth.events.testing import SubscriberTest, sample_event

CONFIG = {"bootstrap.servers": "kafka:9092", "group.id": "tests"}
INSERT = text("INSERT INTO failures VALUES (:user)")


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_handlers_effect_and_the_inbox_share_a_transaction(tmp_path: Path, concurrency: int) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/service.db")
    inbox = SqlInbox(engine, "tests")
    inbox.create_tables()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE failures (user TEXT)"))
    subscriber = Subscriber(
        CONFIG, deserializer=AuthEventDeserializer(), inbox=inbox, policy=Policy(concurrency=concurrency)
    )

    @subscriber.on(LoginFailed)
    def count(_event: AuthEvent, login: LoginFailed, context: Context[Connection]) -> None:
        context.transaction.execute(INSERT, {"user": login.user_id})
        if context.attempt == 1:
            raise ValueError("after the effect")

    with SubscriberTest(subscriber) as test:
        event = sample_event(LoginFailed, user_id="u-1")
        result = test.feed(event)
        assert (result.handled, result.attempts) == (True, 2)
        assert test.feed(event).dropped == "duplicate"
    with engine.begin() as connection:
        assert connection.execute(text("SELECT user FROM failures")).all() == [("u-1",)]
    engine.dispose()


def test_an_async_inbox_with_a_driver_of_its_own_thread(tmp_path: Path) -> None:
    async def main() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/service.db")
        inbox = AsyncSqlInbox(engine, "tests")
        await inbox.create_tables()
        await engine.dispose()
        subscriber = Subscriber(CONFIG, deserializer=AuthEventDeserializer(), inbox=inbox)
        seen: list[str] = []

        @subscriber.on(LoginFailed)
        async def count(_event: AuthEvent, login: LoginFailed, context: Context[AsyncConnection]) -> None:
            await context.transaction.execute(text("SELECT 1"))
            seen.append(login.user_id)

        async with SubscriberTest(subscriber) as test:
            event = sample_event(LoginFailed, user_id="u-1")
            assert (await test.feed_async(event)).handled
            assert (await test.feed_async(event)).dropped == "duplicate"
        assert seen == ["u-1"]
        await engine.dispose()

    asyncio.run(main())
