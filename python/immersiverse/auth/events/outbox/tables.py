"""The outbox's tables: what writers insert into, and what relays keep.

The outbox itself is insert-only: nothing updates or deletes single rows, old rows go with their partition.
Column names are those of Debezium's Outbox Event Router, which can read the table instead of a relay.
"""

from __future__ import annotations

import re
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.errors import ConfigurationError, MissingExtra, OutboxUnavailable

try:
    import sqlalchemy as sa
except ImportError as error:
    raise MissingExtra("sql", "the outbox") from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHARDS: Final = 8
"""Parts of the keys, each relayed by one relay at a time: so many relays can share the work."""
HEADERS: Final[Mapping[str, str]] = {
    "ce_specversion": "ce_specversion",
    "id": "ce_id",
    "type": "ce_type",
    "ce_source": "ce_source",
    "ce_time": "ce_time",
    "ce_partitionkey": "ce_partitionkey",
    "content_type": "content-type",
    "ce_subject": "ce_subject",
    "traceparent": "traceparent",
    "tracestate": "tracestate",
    "baggage": "baggage",
}
"""Columns that become headers of the message, in this order, unless they are null."""
MESSAGE: Final = ("aggregatetype", "aggregateid", "payload", *HEADERS)
"""Columns that make the message: topic, key, value, headers."""
MAINTENANCE_LOCK: Final = 0x617574685F6F62
"""Of PostgreSQL's advisory locks, held while tables are created or dropped: any number that is free."""
_FIRST_DAYS: Final = 7
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
_REMEDIES: Final = (
    (r"(database|role) .* does not exist", "check the database's URL"),
    (
        "does not exist|no such table|no such column|has no column",
        "create this version's tables with: auth-events outbox ddl --apply",
    ),
    ("permission denied", "docs/outbox.md lists the rights that a writer and a relay need"),
    ("read-only|readonly|recovery is in progress", "use the database's primary, which takes writes"),
)
_OPTIONAL: Final = frozenset({"ce_subject", "traceparent", "tracestate", "baggage"})


class OutboxTables:
    """Names and definitions of an outbox's tables.

    Args:
        schema: their database schema; the connection's by default.

    Raises:
        ConfigurationError: if `schema` is not a plain name.

    Attributes:
        outbox: the events, one row each.
        versions: the last version of each user. A writer locks its user's row until it commits.
        shards: how far each shard is relayed, and by which relay.
        relays: the relays that run.
        set_aside: copies of rows that cannot be published, and of those that wait behind them.
        sequence: what numbers the events.
        name: the outbox's name for people: that of its table.
    """

    def __init__(self, schema: str | None = None) -> None:
        if schema is not None and not _NAME.fullmatch(schema):
            raise ConfigurationError("schema", f"{schema!r} is not a plain name of a database schema")
        self.schema = schema
        prefix = f'"{schema}".' if schema else ""
        self.name = f"{schema}.auth_events_outbox" if schema else "auth_events_outbox"
        self.outbox = f"{prefix}auth_events_outbox"
        self.versions = f"{prefix}auth_events_outbox_versions"
        self.shards = f"{prefix}auth_events_outbox_shards"
        self.relays = f"{prefix}auth_events_outbox_relays"
        self.set_aside = f"{prefix}auth_events_outbox_set_aside"
        self.sequence = f"{prefix}auth_events_outbox_sequence"

    def ddl(self, dialect: str) -> tuple[str, ...]:
        """The statements that create what is missing; running them again changes nothing.

        Args:
            dialect: ``postgresql`` or ``sqlite``.

        Raises:
            ConfigurationError: if the database system is another.
        """
        if dialect == "postgresql":
            return self._postgresql()
        if dialect == "sqlite":
            return self._sqlite()
        raise ConfigurationError("outbox", f"{dialect} is not supported: use PostgreSQL or SQLite")

    def drop_ddl(self, dialect: str) -> tuple[str, ...]:
        """The statements that undo `ddl`, with all events.

        Raises:
            ConfigurationError: if the database system is another.
        """
        self.ddl(dialect)
        tables = (self.outbox, self.versions, self.shards, self.relays, self.set_aside)
        drop = tuple(f"DROP TABLE IF EXISTS {table}" for table in tables)
        return (*drop, f"DROP SEQUENCE IF EXISTS {self.sequence}") if dialect == "postgresql" else drop

    def create_all(self, connection: sa.Connection) -> None:
        """Create the tables that are missing, in the connection's transaction.

        Raises:
            ConfigurationError: if the database system is not supported.
            OutboxUnavailable: if the database refuses.
        """
        statements = self.ddl(connection.dialect.name)
        with database_errors("cannot create the outbox's tables"):
            if connection.dialect.name == "postgresql":  # IF NOT EXISTS fails when two run it at once
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MAINTENANCE_LOCK})")
            for statement in statements:
                connection.exec_driver_sql(statement)

    def create_in(self, engine: sa.Engine) -> None:
        """`create_all` in a transaction of its own. Raises the same."""
        with database_errors("cannot create the outbox's tables"), engine.begin() as connection:
            self.create_all(connection)

    def _postgresql(self) -> tuple[str, ...]:
        # txid_current() and bigint, not pg_current_xact_id() and xid8: PostgreSQL 12 has only these, and
        # every driver reads them. The planner's statistics of a table that only grows are always late.
        return (
            f"CREATE SEQUENCE IF NOT EXISTS {self.sequence}",
            f"""CREATE TABLE IF NOT EXISTS {self.outbox} (
    sequence bigint NOT NULL DEFAULT nextval('{self.sequence}'),
    transaction_id bigint NOT NULL DEFAULT txid_current(),
    created_at timestamptz NOT NULL DEFAULT now(),
    shard smallint NOT NULL,
    {_message_columns("text", "bytea")}
    CHECK (aggregatetype ~ '^[a-zA-Z0-9._-]{{1,249}}$')
) PARTITION BY RANGE (created_at)""",
            f"CREATE INDEX IF NOT EXISTS auth_events_outbox_transaction ON {self.outbox} (transaction_id)",
            f"CREATE TABLE IF NOT EXISTS {self.outbox}_default PARTITION OF {self.outbox} DEFAULT",
            self._first_partitions(),
            f"""CREATE TABLE IF NOT EXISTS {self.versions} (
    user_id text PRIMARY KEY,
    version bigint NOT NULL
) WITH (fillfactor = 70)""",
            f"""CREATE TABLE IF NOT EXISTS {self.shards} (
    {_shard_columns("timestamptz")}
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0)""",
            f"""CREATE TABLE IF NOT EXISTS {self.relays} (
    relay text PRIMARY KEY,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0)""",
            f"""CREATE TABLE IF NOT EXISTS {self.set_aside} (
    {_set_aside_columns("timestamptz")}
    {_message_columns("text", "bytea").removesuffix(",")}
)""",
            self._first_shards(),
        )

    def _sqlite(self) -> tuple[str, ...]:
        return (
            f"""CREATE TABLE IF NOT EXISTS {self.outbox} (
    sequence integer PRIMARY KEY AUTOINCREMENT,
    created_at text NOT NULL DEFAULT CURRENT_TIMESTAMP,
    shard integer NOT NULL,
    {_message_columns("text", "blob").removesuffix(",")}
)""",
            f"""CREATE TABLE IF NOT EXISTS {self.versions} (
    user_id text PRIMARY KEY,
    version integer NOT NULL
)""",
            f"CREATE TABLE IF NOT EXISTS {self.shards} (\n    {_shard_columns('text')}\n)",
            f"CREATE TABLE IF NOT EXISTS {self.relays} (relay text PRIMARY KEY, seen_at text NOT NULL)",
            f"""CREATE TABLE IF NOT EXISTS {self.set_aside} (
    {_set_aside_columns("text")}
    {_message_columns("text", "blob").removesuffix(",")}
)""",
            self._first_shards(),
        )

    def _first_partitions(self) -> str:
        """Creates those of the first days, as long as there is none but DEFAULT."""
        return f"""DO $auth_events$
DECLARE day timestamp := date_trunc('day', now() AT TIME ZONE 'UTC');
BEGIN
    IF (SELECT count(*) FROM pg_inherits WHERE inhparent = '{self.outbox}'::regclass) = 1
            AND NOT EXISTS (SELECT FROM {self.outbox}_default) THEN
        FOR number IN 0..{_FIRST_DAYS} LOOP
            EXECUTE 'CREATE TABLE {self.outbox}_p' || to_char(day, 'YYYYMMDD')
                || ' PARTITION OF {self.outbox} FOR VALUES FROM (''' || day || '+00'') TO ('''
                || day + interval '1 day' || '+00'')';
            day := day + interval '1 day';
        END LOOP;
    END IF;
END $auth_events$"""

    def _first_shards(self) -> str:
        shards = ", ".join(f"({shard})" for shard in range(SHARDS))
        return f"INSERT INTO {self.shards} (shard) VALUES {shards} ON CONFLICT DO NOTHING"


def tables_of(tables: OutboxTables | None) -> OutboxTables:
    """The tables, in the connection's default schema unless given.

    Raises:
        ConfigurationError: if they are something else.
    """
    if tables is None:
        return OutboxTables()
    if not isinstance(tables, OutboxTables):
        raise ConfigurationError("tables", f"is an OutboxTables, not {type(tables).__name__}")
    return tables


def shard_of(key: str) -> int:
    """The shard of a message key: one user's events are all in one."""
    return zlib.crc32(key.encode()) % SHARDS


def outbox_error(error: Exception, what: str) -> OutboxUnavailable:
    """A database's error as one of the tree, with what to do about the usual ones.

    Args:
        error: of SQLAlchemy or of psycopg.
        what: what could not be done.
    """
    cause = getattr(error, "orig", None) or error
    text = str(cause).partition("\n")[0]
    lower = text.lower()
    for says, remedy in _REMEDIES:
        if re.search(says, lower):
            text += f"; {remedy}"
            break
    return OutboxUnavailable(f"{what}: {text}")


@contextmanager
def database_errors(what: str) -> Iterator[None]:
    """Around statements by SQLAlchemy.

    Args:
        what: what could not be done if one fails.

    Raises:
        OutboxUnavailable: instead of SQLAlchemy's errors.
    """
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        raise outbox_error(error, what) from error


def _message_columns(text: str, binary: str) -> str:
    columns = {column: (binary if column == "payload" else text) for column in MESSAGE}
    lines = (
        f"{column} {kind}{'' if column in _OPTIONAL else ' NOT NULL'}," for column, kind in columns.items()
    )
    return "\n    ".join(lines)


def _shard_columns(time: str) -> str:
    return f"""shard smallint PRIMARY KEY,
    snapshot text NOT NULL DEFAULT '1:1:',
    target text NOT NULL DEFAULT '',
    sequence bigint NOT NULL DEFAULT 0,
    restored bigint NOT NULL DEFAULT 0,
    epoch text NOT NULL DEFAULT '',
    saved_at {time},
    holder text,
    backend integer,
    held_since {time}"""


def _set_aside_columns(time: str) -> str:
    return f"""sequence bigint PRIMARY KEY,
    shard smallint NOT NULL,
    set_aside_at {time} NOT NULL DEFAULT CURRENT_TIMESTAMP,
    reason text NOT NULL,
    is_waiting boolean NOT NULL,
    retry boolean NOT NULL DEFAULT FALSE,"""
