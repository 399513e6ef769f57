"""A relay's view of an outbox in PostgreSQL.

Two connections: one in AUTOCOMMIT holds the shards by advisory locks, gives signs of life and saves
positions; the other reads. A relay that is stopped for longer than `LEASE` asks the first one before it sends
again, and finds it ended by the relay that took its shards.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg

from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.outbox.database import LEASE, RENEW, Found, LeaseLost, row_of
from immersiverse.auth.events.outbox.snapshots import BEGINNING, Position, Snapshot
from immersiverse.auth.events.outbox.tables import HEADERS, SHARDS, OutboxTables, outbox_error

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from datetime import datetime

    import sqlalchemy as sa

    from immersiverse.auth.events.outbox.database import Row

_CONNECTION: Final[dict[str, Any]] = {
    "application_name": "auth-events outbox relay",
    "connect_timeout": 5,
    "keepalives_idle": 2,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 6_000,
    # A prepared plan would rather scan the table, whose newest rows are not in its statistics.
    "options": "-c enable_seqscan=off -c jit=off -c statement_timeout=60000",
}
_log = get_logger(__name__)
_SAVE_EVERY: Final = 0.25  # seconds; what a relay that dies has sent since then is sent again
_SAVE_IDLE: Final = 30.0  # seconds; else a shard without rows would seem to be far behind the others
_RESTORED: Final = "10 minutes"  # before the last save, after a restore or failover: sent again


class PostgresOutbox:
    """See `OutboxDatabase`.

    Args:
        url: where the database is, whatever the driver.
        tables: the outbox's tables.
        relay: a name that no other relay has.

    Raises:
        OutboxUnavailable: if the database does not answer, or the tables are missing.
    """

    def __init__(self, url: sa.URL, tables: OutboxTables, relay: str) -> None:
        self.held: dict[int, Position] = {}
        self._relay = relay
        self._tables = tables
        self._renewed = self._saved = 0.0
        self._is_unsaved = False
        with _errors("cannot open the outbox"), ExitStack() as opening:
            self._control = opening.enter_context(closing(_connect(url)))
            self._reader = opening.enter_context(closing(_connect(url)))
            self._reader.prepare_threshold = 0
            # Shards of two outboxes in one database have locks of their own.
            self._lock_class: int = self._scalar(f"SELECT hashtext('{tables.shards}'::regclass::oid::text)")
            self._epoch: str = self._scalar(
                "SELECT (pg_control_system()).system_identifier || ':' "
                "|| substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
            )
            opening.pop_all()  # nothing failed: they stay open
        self._columns = ", ".join((
            "sequence", "shard", "extract(epoch FROM created_at)::float8", "aggregatetype",
            "convert_to(aggregateid, 'UTF8')", "payload",
            *(f"convert_to({each}, 'UTF8')" for each in HEADERS),
        ))  # fmt: skip

    def renew(self) -> bool:
        """See `OutboxDatabase.renew`."""
        now = time.monotonic()
        if now - self._renewed < RENEW:
            return False
        before = set(self.held)
        if self._is_unsaved:
            self.write_positions()
        elif self.held and now - self._saved >= _SAVE_IDLE:
            self.write_positions()
            self._saved = now - _SAVE_EVERY  # the next rows' position is saved at once
        with _errors("cannot renew the relay's lease"):
            wanted = self._share()
            for shard in sorted(self.held)[wanted:]:
                self._release(shard)
            if len(self.held) < wanted:
                self._take(wanted - len(self.held))
        self._renewed = now
        return set(self.held) != before

    def require_lease(self) -> None:
        """See `OutboxDatabase.require_lease`."""
        if time.monotonic() - self._renewed < LEASE / 2:
            return
        try:
            self._control.execute("SELECT 1")
        except psycopg.Error as error:
            raise LeaseLost(
                "another relay has taken this one's shards, which was silent for too long"
            ) from error
        self._renewed = 0.0
        self.renew()

    def poll(self, position: Position, shards: Sequence[int], limit: int) -> Found:
        """See `OutboxDatabase.poll`: one statement, which sees exactly what its snapshot says."""
        condition, values = self._difference(position, shards)
        query = f"""SELECT now.snapshot, row.* FROM (SELECT txid_current_snapshot()::text AS snapshot) now
            LEFT JOIN LATERAL (
                SELECT {self._columns} FROM {self._tables.outbox} WHERE {condition} AND sequence > %s
                ORDER BY sequence LIMIT %s
            ) row ON true"""
        with _errors("cannot read the outbox"), self._reader.cursor(binary=True) as cursor:
            found = cursor.execute(query, (*values, position.restored, limit + 1)).fetchall()
        now, has_rows = found[0][0], found[0][1] is not None
        if len(found) > limit:
            restored = position.restored
            return Found([], Position(position.snapshot, now, restored, restored), more=True)
        rows = [row_of(each[1:]) for each in found] if has_rows else []
        return Found(rows, Position(now, restored=position.restored))

    def stream(self, position: Position, shards: Sequence[int], size: int) -> Generator[list[Row]]:
        """See `OutboxDatabase.stream`: sorted once, whatever their number."""
        condition, values = self._difference(position, shards)
        query = f"""WITH found AS MATERIALIZED (SELECT {self._columns} FROM {self._tables.outbox}
            WHERE {condition} AND sequence > %s
                AND (sequence <= %s OR txid_visible_in_snapshot(transaction_id, %s::txid_snapshot)))
            SELECT * FROM found ORDER BY 1"""
        values = (*values, position.sequence, position.restored, position.target)
        with _errors("cannot read the outbox"), self._reader.transaction():
            self._reader.execute("SET LOCAL work_mem = '64MB'")
            self._reader.execute("SET LOCAL statement_timeout = 0")
            with self._reader.cursor("auth_events_outbox", binary=True) as cursor:
                cursor.execute(query, values)
                while rows := cursor.fetchmany(size):
                    yield [row_of(each) for each in rows]

    def save(self, shards: Sequence[int], position: Position) -> None:
        """See `OutboxDatabase.save`."""
        # While Kafka was awaited, some may have been released to a relay that is new.
        self.held.update((shard, position) for shard in shards if shard in self.held)
        self._is_unsaved = True
        if time.monotonic() - self._saved >= _SAVE_EVERY:
            self.write_positions()

    def write_positions(self) -> None:
        """Write the positions of all shards.

        Raises:
            LeaseLost: if another relay holds one of them.
        """
        by_position: dict[Position, list[int]] = {}
        for shard, position in self.held.items():
            by_position.setdefault(position, []).append(shard)
        update = (
            f"UPDATE {self._tables.shards} SET snapshot = %s, target = %s, sequence = %s, restored = %s, "
            "epoch = %s, saved_at = clock_timestamp() WHERE shard = ANY(%s) AND holder = %s"
        )
        with _errors("cannot save the relay's position"):
            for position, shards in by_position.items():
                written = self._control.execute(
                    update, (*position, self._epoch, shards, self._relay)
                ).rowcount
                if written != len(shards):
                    raise LeaseLost("another relay holds a shard of this one")
        self._saved, self._is_unsaved = time.monotonic(), False

    def close(self) -> None:
        """See `OutboxDatabase.close`."""
        with suppress(Exception):
            for shard in tuple(self.held):
                self._release(shard)
            self._control.execute(f"DELETE FROM {self._tables.relays} WHERE relay = %s", (self._relay,))
        for connection in (self._control, self._reader):
            with suppress(Exception):
                connection.close()

    def _difference(self, position: Position, shards: Sequence[int]) -> tuple[str, tuple[Any, ...]]:
        """The condition of rows that a position's snapshot does not see; both parts use the index."""
        snapshot = Snapshot.parse(position.snapshot)
        if snapshot.running:
            condition, values = "(transaction_id >= %s OR transaction_id = ANY(%s))", [list(snapshot.running)]
        else:
            condition, values = "transaction_id >= %s", []
        parameters: tuple[Any, ...] = (snapshot.xmax, *values)
        if len(shards) < SHARDS:
            return f"{condition} AND shard = ANY(%s)", (*parameters, list(shards))
        return condition, parameters

    def _share(self) -> int:
        """Give a sign of life; how many shards this relay should hold: as many as every other one."""
        alive = f"""WITH mine AS (
                INSERT INTO {self._tables.relays} (relay, seen_at) VALUES (%(relay)s, clock_timestamp())
                ON CONFLICT (relay) DO UPDATE SET seen_at = excluded.seen_at),
            gone AS (DELETE FROM {self._tables.relays}
                WHERE relay <> %(relay)s AND seen_at < clock_timestamp() - interval '1 minute')
            SELECT count(*) FROM {self._tables.relays} WHERE relay <> %(relay)s
                AND seen_at > clock_timestamp() - make_interval(secs => %(lease)s)"""
        others: int = self._scalar(alive, {"relay": self._relay, "lease": LEASE})
        return -(-SHARDS // (others + 1))

    def _take(self, count: int) -> None:
        """Take free shards, and end the connection of a relay that was silent for too long."""
        # A shard that is still this relay's by name was held by a connection that it has lost.
        query = f"""SELECT shard, backend,
                holder IS NOT NULL AND (holder = %s OR NOT EXISTS (
                    SELECT 1 FROM {self._tables.relays} r WHERE r.relay = s.holder
                        AND r.seen_at > clock_timestamp() - make_interval(secs => %s))) AS is_silent
            FROM {self._tables.shards} s WHERE NOT shard = ANY(%s) ORDER BY random()"""
        with self._control.cursor() as cursor:
            rows = cursor.execute(query, (self._relay, LEASE, list(self.held))).fetchall()
        for shard, backend, is_silent in rows:
            if count == 0:
                return
            if self._scalar("SELECT pg_try_advisory_lock(%s, %s)", (self._lock_class, shard)):
                self._take_over(shard)
                count -= 1
            elif is_silent:
                self._end(backend, shard)

    def _take_over(self, shard: int) -> None:
        """Begin with a shard whose lock this relay has just taken, where the last one saved to have come."""
        take = (
            f"UPDATE {self._tables.shards} SET holder = %s, backend = pg_backend_pid(), "
            "held_since = clock_timestamp() WHERE shard = %s "
            "RETURNING snapshot, target, sequence, restored, epoch, saved_at"
        )
        (saved,) = self._control.execute(take, (self._relay, shard)).fetchall()
        *position, epoch, saved_at = saved
        self.held[shard] = Position(*position)
        if epoch != self._epoch:
            self.held[shard] = self._position_in_new_epoch(shard, self.held[shard], saved_at)
            self._is_unsaved = True

    def _position_in_new_epoch(self, shard: int, saved: Position, saved_at: datetime | None) -> Position:
        """Where to begin after a restore or failover, when transaction ids may have begun again.

        All rows are sent again from the first one that may not have been delivered: that the old position
        does not see, or that is about as new as it. Rows of transactions that cannot have committed here came
        with a dump. Its sequence came with it, so that every row added here has a higher number.
        """
        outbox = self._tables.outbox
        first = "NULL::bigint"
        if saved_at is not None:  # else nothing was ever delivered
            first = f"""(SELECT min(sequence) FROM {outbox} WHERE shard = %(shard)s AND (
                created_at >= %(saved_at)s - %(restored)s::interval
                OR NOT txid_visible_in_snapshot(transaction_id, %(snapshot)s::txid_snapshot)))"""
        # One statement: what commits after it is not in the target, but among what is polled later.
        query = f"""SELECT now.snapshot::text, {first}, greatest(
                (SELECT max(sequence) FROM {outbox} WHERE transaction_id >= txid_snapshot_xmax(now.snapshot)),
                (SELECT max(sequence) FROM {outbox}
                    WHERE transaction_id = ANY(ARRAY(SELECT txid_snapshot_xip(now.snapshot)))),
                (SELECT max(restored) FROM {self._tables.shards}))
            FROM (SELECT txid_current_snapshot() AS snapshot) now"""
        values = {"shard": shard, "saved_at": saved_at, "restored": _RESTORED, "snapshot": saved.snapshot}
        ((target, first_row, restored),) = self._control.execute(query, values).fetchall()
        if saved_at is None:
            return Position(BEGINNING, target, 0, restored) if restored else saved
        _log.warning(
            "shard %d: the database was restored or failed over; sending again from row %s on",
            shard,
            first_row or "the next",
        )
        if first_row is None:
            return Position(target, restored=restored)
        return Position(BEGINNING, target, first_row - 1, restored)

    def _end(self, backend: int | None, shard: int) -> None:
        """End a silent relay's connection, if it is the one that holds the shard."""
        self._control.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND classid::bigint = %s AND objid = %s",
            (backend, self._lock_class % 2**32, shard),
        )

    def _release(self, shard: int) -> None:
        position = self.held.pop(shard)
        release = (
            f"UPDATE {self._tables.shards} SET snapshot = %s, target = %s, sequence = %s, restored = %s, "
            "epoch = %s, saved_at = clock_timestamp(), holder = NULL, backend = NULL "
            "WHERE shard = %s AND holder = %s"
        )
        self._control.execute(release, (*position, self._epoch, shard, self._relay))
        self._control.execute("SELECT pg_advisory_unlock(%s, %s)", (self._lock_class, shard))

    def _scalar(self, query: str, values: Any = None) -> Any:
        row = self._control.execute(query, values).fetchone()
        assert row is not None  # noqa: S101 - every query here gives one
        return row[0]


def _connect(url: sa.URL) -> psycopg.Connection[Any]:
    server = url.translate_connect_args(username="user", database="dbname")
    return psycopg.connect(autocommit=True, **{**_CONNECTION, **server, **url.query})


@contextmanager
def _errors(what: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise outbox_error(error, what) from error
