"""What subscribers leave behind: rows in a database with the inbox, lines in a journal without."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    select,
)

from chaos.journal import Journal, read_journal
from immersiverse.auth.events import AuthEvent, SqlInbox
from immersiverse.auth.events.kafka.context import Context


class Effect(NamedTuple):
    """One event that a handler acted on."""

    event_id: str
    topic: str
    user: str
    version: int


_EFFECTS = Table(
    "effects",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("event_id", String, nullable=False),  # not unique: a repeat must be able to show
    Column("topic", String, nullable=False),
    Column("user", String, nullable=False),
    Column("version", Integer, nullable=False),
    sqlite_autoincrement=True,
)


def open_database(path: Path) -> Engine:
    """The database, made for one writer at a time and safe from ``kill -9``, as every SQLite file is."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 60})
    event.listen(engine, "connect", _tune)
    return engine


def create_database(engine: Engine, consumer: str) -> None:
    """Create the inbox's tables and ours."""
    SqlInbox(engine, consumer).create_tables()
    _EFFECTS.metadata.create_all(engine)


def apply(transaction: Connection, happened: AuthEvent, context: Context) -> None:
    """Act on an event, in the inbox's transaction."""
    transaction.execute(_EFFECTS.insert().values(_effect(happened, context)._asdict()))


def write_down(journal: Journal, happened: AuthEvent, context: Context) -> None:
    """Act on an event, for good."""
    journal.write(*_effect(happened, context))


def applied(engine: Engine) -> list[Effect]:
    """Every effect in the database, in the order of their transactions."""
    columns = [_EFFECTS.c[name] for name in Effect._fields]
    with engine.connect() as connection:
        return [Effect(*row) for row in connection.execute(select(*columns).order_by(_EFFECTS.c.number))]


def written_down(path: Path) -> list[Effect]:
    """Every effect in a journal, in order."""
    lines = read_journal(path, words=len(Effect._fields))
    return [Effect(event_id, topic, user, int(version)) for event_id, topic, user, version in lines]


def _effect(happened: AuthEvent, context: Context) -> Effect:
    return Effect(happened.event_id, context.topic, (context.key or b"").decode(), happened.version)


def _tune(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")  # the journal's reason holds here too
