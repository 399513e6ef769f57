"""An outbox in a database of its own, and relays that send to a topic of the test's."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from confluent_kafka import Consumer, Message, TopicPartition
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import AuthEvent, AuthEventSerializer, PinnedSchemas, UserDeleted, new_event
from immersiverse.auth.events.outbox.relay import OutboxRelay
from immersiverse.auth.events.outbox.writing import Outbox

SERIALIZER = AuthEventSerializer(PinnedSchemas(7))


def user_deleted(user_id: str) -> AuthEvent:
    """An event of a user."""
    deleted_at = Timestamp()
    deleted_at.FromDatetime(datetime.now(UTC))
    return new_event(UserDeleted(user_id=user_id, deleted_at=deleted_at), source="/tests")


@contextmanager
def new_database(url: str) -> Iterator[sa.Engine]:
    """An empty database that is dropped in the end with all its connections."""
    name = f"outbox_{uuid.uuid4().hex}"
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine = sa.create_engine(sa.make_url(url).set(database=name), pool_size=20)
    try:
        yield engine
    finally:
        engine.dispose()
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        server.dispose()


@dataclass
class Target:
    """A topic of the test's own, to which all rows of its outbox go."""

    bootstrap: str
    topic: str
    engine: sa.Engine
    outbox: Outbox = field(default_factory=lambda: Outbox(SERIALIZER))

    def add(self, connection: sa.Connection, *events: AuthEvent) -> list[AuthEvent]:
        """Add events in a transaction, for this topic."""
        added = self.outbox.add_all(connection, events)
        self.redirect(connection)
        return added

    def commit(self, *events: AuthEvent) -> list[AuthEvent]:
        """Add events in a transaction of their own."""
        with self.engine.begin() as connection:
            return self.add(connection, *events)

    def redirect(self, connection: sa.Connection, topic: str = "") -> None:
        """Send the rows that this transaction added to another topic than the contract's."""
        connection.execute(
            sa.text(
                "UPDATE auth_events_outbox SET aggregatetype = :topic WHERE transaction_id = txid_current() "
                "AND aggregatetype LIKE 'auth.events.%'"
            ),
            {"topic": topic or self.topic},
        )

    @contextmanager
    def relaying(self, **options: Any) -> Iterator[OutboxRelay]:
        """A relay that runs."""
        relay = OutboxRelay(self.engine, {"bootstrap.servers": self.bootstrap}, **options)
        thread = threading.Thread(target=relay.run, daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            relay.stop()
            thread.join(30)
            assert not thread.is_alive()

    def messages(self, count: int, seconds: float = 30.0) -> list[Message]:
        """The topic's messages, as soon as there are so many; fewer after that time."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": str(uuid.uuid4()),
                "auto.offset.reset": "earliest",
            }
        )
        found: list[Message] = []
        try:
            consumer.assign([TopicPartition(self.topic, partition, 0) for partition in range(3)])
            until = time.monotonic() + seconds
            while len(found) < count and time.monotonic() < until:
                found += [each for each in consumer.consume(1_000, 0.2) if each.error() is None]
        finally:
            consumer.close()
        return found

    def ids(self, count: int, seconds: float = 30.0) -> list[str]:
        """The event ids of the topic's messages."""
        return [event_id_of(message) for message in self.messages(count, seconds)]


def event_id_of(message: Message) -> str:
    """The event id in a message's headers."""
    value = dict(message.headers() or ())["ce_id"]
    assert isinstance(value, bytes)
    return value.decode()


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.05)
