"""Real databases: on a fresh machine without them their tests are left out, but never in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from stack import postgres as stack_postgres
from stack import redis as stack_redis


@pytest.fixture(scope="session")
def postgres() -> Iterator[stack_postgres.Postgres]:
    """A real PostgreSQL."""
    _skip_unless(stack_postgres.postgres_programs(), stack_postgres.MISSING)
    with stack_postgres.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[stack_redis.RedisServer]:
    """A real Redis."""
    _skip_unless(stack_redis.redis_program(), stack_redis.MISSING)
    with stack_redis.redis_server() as server:
        yield server


def _skip_unless(installed: object, missing: str) -> None:
    if not installed and os.environ.get("CI") != "true":
        pytest.skip(missing)
