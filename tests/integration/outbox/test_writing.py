"""Every way of writing writes the same rows; concurrent writers never deadlock by the outbox's doing."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from immersiverse.auth.events import AsyncOutbox, Outbox, OutboxTables
from immersiverse.auth.events.outbox.tables import MESSAGE
from outboxes import SERIALIZER, user_deleted

ROW = f"SELECT shard, {', '.join(MESSAGE)} FROM auth_events_outbox ORDER BY sequence"


class Base(DeclarativeBase):
    """The models of a service that knows nothing of the outbox."""


class Account(Base):
    """One of them."""

    __tablename__ = "account"
    name: Mapped[str] = mapped_column(primary_key=True)


@pytest.fixture(autouse=True)
def accounts(engine: sa.Engine) -> None:
    """The service's own table."""
    Base.metadata.create_all(engine)


def count(engine: sa.Engine, table: str) -> int:
    """The rows of a table."""
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_core_orm_and_both_async_drivers_write_the_same(engine: sa.Engine) -> None:
    event, outbox, async_outbox = user_deleted("anna"), Outbox(SERIALIZER), AsyncOutbox(SERIALIZER)

    async def write(driver: str) -> None:
        async_engine = create_async_engine(engine.url.set(drivername=driver))
        async with AsyncSession(async_engine) as session, session.begin():
            session.add(Account(name=f"{driver} session"))
            await async_outbox.add(session, event)
        async with async_engine.begin() as connection:
            await async_outbox.add(connection, event)
        await async_engine.dispose()

    def forget_version() -> None:  # so that each writes version 1
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM auth_events_outbox_versions")

    rows = []
    for way in ("core", "orm", "postgresql+psycopg", "postgresql+asyncpg"):
        if way == "core":
            with engine.begin() as connection:
                outbox.add(connection, event)
        elif way == "orm":
            with Session(engine) as session, session.begin():
                session.add(Account(name=way))
                outbox.add(session, event)
        else:
            asyncio.run(write(way))
        with engine.begin() as connection:
            rows.append([tuple(row) for row in connection.exec_driver_sql(ROW)])
            connection.exec_driver_sql("DELETE FROM auth_events_outbox")
        forget_version()
    core, orm, psycopg, asyncpg = rows
    assert len(core) == 1
    assert orm == core
    assert psycopg == asyncpg
    assert psycopg[:1] == core
    assert len(psycopg) == 2  # the second has version 2


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql+asyncpg"])
def test_what_an_async_session_rolls_back_does_not_exist(engine: sa.Engine, driver: str) -> None:
    async def write() -> None:
        async_engine = create_async_engine(engine.url.set(drivername=driver))
        async with AsyncSession(async_engine) as session:
            session.add(Account(name="anna"))
            await AsyncOutbox(SERIALIZER).add(session, user_deleted("anna"))
            await session.rollback()
        await async_engine.dispose()

    asyncio.run(write())
    assert count(engine, "auth_events_outbox") == 0
    assert count(engine, "auth_events_outbox_versions") == 0
    assert count(engine, "account") == 0


def test_async_create_all_creates_the_tables(engine: sa.Engine) -> None:
    async def create() -> None:
        async_engine = create_async_engine(engine.url.set(drivername="postgresql+asyncpg"))
        async with async_engine.begin() as connection:
            await connection.exec_driver_sql('CREATE SCHEMA "other"')
        await AsyncOutbox(SERIALIZER, tables=OutboxTables("other")).create_all(async_engine)
        await async_engine.dispose()

    asyncio.run(create())
    assert count(engine, "other.auth_events_outbox_shards") == 8


def test_writers_of_the_same_users_in_any_order_never_deadlock(engine: sa.Engine) -> None:
    users, outbox = [f"user-{n}" for n in range(6)], Outbox(SERIALIZER)
    failures: list[Exception] = []
    begin = threading.Barrier(2)

    def write(seed: int) -> None:
        shuffle = random.Random(seed).shuffle
        begin.wait()
        for _ in range(150):
            if failures:
                return
            order = [*users]
            shuffle(order)
            try:
                with engine.begin() as connection:
                    outbox.add_all(connection, [user_deleted(user) for user in order])
            except Exception as error:  # noqa: BLE001 - a thread's failure is shown below
                failures.append(error)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(2)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert failures == []
    assert count(engine, "auth_events_outbox") == 2 * 150 * 6


def test_a_savepoint_takes_its_events_with_it(engine: sa.Engine) -> None:
    outbox = Outbox(SERIALIZER)
    with engine.begin() as connection:
        first = outbox.add(connection, user_deleted("anna"))
        with connection.begin_nested() as savepoint:
            lost = outbox.add(connection, user_deleted("anna"))
            savepoint.rollback()
        second = outbox.add(connection, user_deleted("anna"))
    assert [event.version for event in (first, lost, second)] == [1, 2, 2]
    with engine.connect() as connection:
        ids = (
            connection.exec_driver_sql("SELECT id FROM auth_events_outbox ORDER BY sequence").scalars().all()
        )
    assert ids == [first.event_id, second.event_id]
