"""An outbox to measure: a real PostgreSQL that syncs its log, rows of the benchmark's event, their topic."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from benchmarks.event import EVENT, TOPIC
from benchmarks.kafka import broker, topic
from confluent_kafka import Consumer, TopicPartition

from immersiverse.auth.events import AuthEventSerializer, Outbox, PinnedSchemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stack.postgres import Postgres

SERIALIZER: Final = AuthEventSerializer(PinnedSchemas(7))
PARTITIONS: Final = 3
_USERS: Final = 20_000
_COPIED: Final = (
    "aggregatetype, payload, ce_specversion, type, ce_source, ce_time, content_type"  # as the event has them
)
_RELAY: Final = """
import signal, sys
from immersiverse.auth.events import OutboxRelay
relay = OutboxRelay(sys.argv[1], {"bootstrap.servers": sys.argv[2]})
signal.signal(signal.SIGTERM, lambda *_: relay.stop())
relay.run()
"""


class Bench:
    """A database with an outbox, and a broker with its topic."""

    def __init__(self, server: Postgres, bootstrap: str) -> None:
        self.server = server
        self.bootstrap = bootstrap
        self.engine = sa.create_engine(server.url, pool_size=64)
        self.outbox = Outbox(SERIALIZER)
        self.outbox.create_all(self.engine)

    def fill(self, count: int) -> None:
        """Commit so many rows of many users at once, as a backlog."""
        event = type(EVENT)()
        event.CopyFrom(EVENT)
        event.version = 0
        with self.engine.begin() as connection:
            self.outbox.add(connection, event)
            connection.exec_driver_sql(
                f"""INSERT INTO auth_events_outbox
                    (shard, aggregateid, id, ce_partitionkey, ce_subject, {_COPIED})
                SELECT abs(hashtext(u)) %% 8, u, gen_random_uuid()::text, u, u, {_COPIED} FROM (
                    SELECT 'user-' || (g %% {_USERS}) AS u FROM generate_series(2, {count}) g) users,
                    (SELECT * FROM auth_events_outbox ORDER BY sequence DESC LIMIT 1) first"""
            )
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CHECKPOINT")

    @contextmanager
    def relays(self, count: int = 1) -> Iterator[None]:
        """Relays in processes of their own."""
        url = self.engine.url.render_as_string(hide_password=False)
        command = [sys.executable, "-c", _RELAY, url, self.bootstrap]
        processes = [subprocess.Popen(command) for _ in range(count)]
        try:
            yield
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)

    def end(self) -> int:
        """How many messages the topic has had."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "benchmark"})
        try:
            places = [TopicPartition(TOPIC, partition) for partition in range(PARTITIONS)]
            return sum(consumer.get_watermark_offsets(place, timeout=10)[1] for place in places)
        finally:
            consumer.close()

    def seconds_until(self, end: int) -> float:
        """Seconds until the topic has had so many messages."""
        begun = time.perf_counter()
        while self.end() < end:
            time.sleep(0.05)
        return time.perf_counter() - begun

    @contextmanager
    def old_transaction(self) -> Iterator[None]:
        """A transaction that has written something and stays open."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT txid_current()")
            yield
            connection.rollback()


class Arrivals:
    """When each event arrives, by its id, on the clock of `time.perf_counter`."""

    def __init__(self, bootstrap: str) -> None:
        self.at: dict[str, float] = {}
        self._stopping = False
        config: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "group.id": "benchmark",
            "fetch.wait.max.ms": 5,
        }
        self._consumer = Consumer(config)
        for partition in range(PARTITIONS):
            _, high = self._consumer.get_watermark_offsets(TopicPartition(TOPIC, partition), timeout=10)
            self._consumer.incremental_assign([TopicPartition(TOPIC, partition, high)])
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._stopping:
            for message in self._consumer.consume(500, 0.01):
                now = time.perf_counter()
                if message.error() is None:
                    self.at[dict(message.headers() or ())["ce_id"].decode()] = now  # type: ignore[union-attr]

    def stop(self) -> None:
        """End."""
        self._stopping = True
        self._thread.join()
        self._consumer.close()


@contextmanager
def bench() -> Iterator[Bench]:
    """Servers of our own, but for a broker that the environment names."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from stack.postgres import postgres  # noqa: PLC0415 - lives among the tests

    with ExitStack() as stack:
        bootstrap = stack.enter_context(broker())
        stack.enter_context(topic({"bootstrap.servers": bootstrap}, TOPIC))
        server = stack.enter_context(
            postgres("fsync=on", "full_page_writes=on", "wal_level=logical", "shared_buffers=256MB",
                     "max_wal_size=4GB")
        )  # fmt: skip
        made = Bench(server, bootstrap)
        stack.callback(made.engine.dispose)
        yield made
