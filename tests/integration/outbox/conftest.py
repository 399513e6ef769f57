"""A real PostgreSQL with an outbox, and relays that send to the real Kafka."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from confluent_kafka.admin import AdminClient, NewTopic

from immersiverse.auth.events import Outbox
from outboxes import SERIALIZER, Target, new_database
from stack import postgres as stack_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[stack_postgres.Postgres]:
    """A real PostgreSQL; where it is not installed, an error says how to install it."""
    with stack_postgres.postgres() as server:
        yield server


@pytest.fixture
def engine(postgres: stack_postgres.Postgres) -> Iterator[sa.Engine]:
    """A database of its own with an outbox."""
    with new_database(postgres.url) as engine:
        Outbox(SERIALIZER).create_all(engine)
        yield engine


@pytest.fixture
def target(kafka: Any, topic: str, engine: sa.Engine) -> Target:
    """The outbox of a database, and the topic to which it is relayed."""
    return Target(kafka.bootstrap, topic, engine)


@pytest.fixture
def small_topic(kafka: Any) -> Iterator[str]:
    """A topic that takes no message of more than 1,000 bytes."""
    name = f"test-{uuid.uuid4()}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    new = NewTopic(name, num_partitions=3, config={"max.message.bytes": "1000"})
    admin.create_topics([new])[name].result(timeout=30)
    yield name
    admin.delete_topics([name])[name].result(timeout=30)
