"""The outbox in SQLite, relayed to the embedded broker: for development and the demonstration."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session

from immersiverse.auth.events import AsyncOutbox, Outbox, OutboxTables
from immersiverse.auth.events.outbox.database import LeaseLost
from immersiverse.auth.events.outbox.sqlite import SqliteOutbox
from outboxes import SERIALIZER, user_deleted


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """A database with an outbox."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'outbox.db'}")
    Outbox(SERIALIZER).create_all(engine)
    yield engine
    engine.dispose()


def relayed(engine: sa.Engine) -> list[tuple[bytes, str]]:
    """Keys and event ids of all that a new relay would send."""
    outbox = SqliteOutbox(engine, OutboxTables(), "tests")
    try:
        outbox.renew()
        found = outbox.poll(outbox.held[0], list(outbox.held), 100)
        outbox.save(list(outbox.held), found.after)
        return [(row.key, dict(row.headers)["ce_id"].decode()) for row in found.rows]
    finally:
        outbox.close()


def test_what_is_committed_is_found_once(engine: sa.Engine) -> None:
    outbox = Outbox(SERIALIZER)
    with Session(engine) as session:
        first = outbox.add(session, user_deleted("anna"))
        session.rollback()
        second = outbox.add(session, user_deleted("anna"))
        session.commit()
    assert (first.version, second.version) == (1, 1)
    assert relayed(engine) == [(b"anna", second.event_id)]
    assert relayed(engine) == []


def test_an_async_session_writes_the_same(tmp_path: Path) -> None:
    async def write() -> list[str]:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'outbox.db'}")
        outbox = AsyncOutbox(SERIALIZER)
        await outbox.create_all(engine)
        async with async_sessionmaker(engine)() as session:
            added = await outbox.add_all(
                session, [user_deleted("anna"), user_deleted("bert"), user_deleted("anna")]
            )
            await session.commit()
        await engine.dispose()
        assert [event.version for event in added] == [1, 1, 2]
        return [event.event_id for event in added]

    ids = asyncio.run(write())
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'outbox.db'}")
    assert [event_id for _, event_id in relayed(engine)] == ids
    engine.dispose()


def test_a_second_relay_waits_until_the_first_is_silent(engine: sa.Engine) -> None:
    first, second = (SqliteOutbox(engine, OutboxTables(), name) for name in ("first", "second"))
    first.renew()
    second.renew()
    assert first.held
    assert not second.held
    with engine.begin() as connection:  # as if the first one had been frozen for long
        connection.exec_driver_sql("UPDATE auth_events_outbox_relays SET seen_at = seen_at - 1")
    first._renewed = second._renewed = 0.0
    second.renew()
    assert second.held
    with pytest.raises(LeaseLost):
        first.require_lease()
    first.close()
    second.close()
