"""Forgetting by command on real servers, and at a terminal."""

from __future__ import annotations

import pytest
import redis
from sqlalchemy import create_engine

from guard_statements import DUPLICATE, FRESH, KEY, event, verdict
from immersiverse.auth.events.guards import RedisGuard, SqlGuard
from unit.cli.terminal import run
from unit.cli.typing_terminal import typing


@pytest.fixture
def in_postgres(postgres):
    engine = create_engine(postgres.url)
    guard = SqlGuard(engine, "commands")
    guard.create_tables()
    guard.forget_all()
    yield guard, ("--database", postgres.url)
    engine.dispose()


@pytest.fixture
def in_redis(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        guard = RedisGuard(client, "commands")
        guard.forget_all()
        yield guard, ("--redis", redis_server.url)


@pytest.fixture(params=["in_postgres", "in_redis"])
def guarded(request):
    return request.getfixturevalue(request.param)


def test_a_user_and_then_the_consumer_are_forgotten(guarded):
    guard, where = guarded
    first = event(version=5)
    verdict(guard, first)
    forget = ("inbox", "forget", "--consumer", "commands", "--yes", "--json", *where)
    assert run(*forget, "--user", KEY.decode()).document == {"ids": 0, "versions": 1}
    assert [verdict(guard, first), verdict(guard, event(version=1))] == [DUPLICATE, FRESH]
    assert run(*forget, "--all").document == {"ids": 2, "versions": 1}
    assert verdict(guard, first) is FRESH


@pytest.mark.parametrize(
    ("answer", "code", "then"), [("n\n", 1, DUPLICATE), ("y\n", 0, FRESH), ("\x03", 130, DUPLICATE)]
)
def test_at_a_terminal_it_asks(guarded, answer, code, then):
    guard, where = guarded
    first = event()
    verdict(guard, first)
    with typing("inbox", "forget", "--consumer", "commands", "--all", *where) as terminal:
        terminal.wait_for(r"Let commands forget all that it handled\? \[y/N\]: ")
        terminal.type(answer)
        assert terminal.code() == code
    assert verdict(guard, first) is then
