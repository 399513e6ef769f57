"""Real databases, one of each for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from sqlalchemy import Engine

from immersiverse.auth.events import SqlInbox
from inboxes.makers import created, database
from stack import postgres as stack_postgres
from stack import redis as stack_redis


@pytest.fixture(scope="session")
def postgres() -> Iterator[stack_postgres.Postgres]:
    """A real PostgreSQL; where it is not installed, an error says how to install it."""
    with stack_postgres.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[stack_redis.RedisServer]:
    """A real Redis; where it is not installed, an error says how to install it."""
    with stack_redis.redis_server() as server:
        yield server


@pytest.fixture
def engine(postgres: stack_postgres.Postgres) -> Iterator[Engine]:
    """PostgreSQL with a table of effects and no tables of inboxes."""
    with database(postgres.url, pool_size=20) as engine:
        yield engine


@pytest.fixture
def inbox(engine: Engine) -> SqlInbox:
    """An inbox in PostgreSQL."""
    return created(SqlInbox(engine, "tests"))


@pytest.fixture
def client(redis_server: stack_redis.RedisServer) -> Iterator[redis.Redis]:
    """A client of the Redis, which is empty."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        yield client
