"""`auth-events inbox` on real servers and at a terminal."""

from __future__ import annotations

import pytest

from commands import in_process
from component.cli.typing_terminal import typing
from immersiverse.auth.events import RedisInbox
from inboxes.behaviour import DUPLICATE, FRESH, KEY, event, verdict


@pytest.fixture
def in_postgres(inbox, postgres):
    return inbox, ("--database", postgres.url)


@pytest.fixture
def in_redis(client, redis_server):
    return RedisInbox(client, "tests"), ("--redis", redis_server.url)


@pytest.fixture(params=["in_postgres", "in_redis"])
def stored(request):
    return request.getfixturevalue(request.param)


def test_a_user_and_then_a_consumer_are_forgotten(stored, monkeypatch, capsysbinary):
    run = in_process(monkeypatch, capsysbinary)
    inbox, where = stored
    first = event(version=5)
    verdict(inbox, first)
    forget = ("inbox", "forget", "--consumer", "tests", "--yes", "--json", *where)
    assert run(*forget, "--user", KEY.decode()).document == {"ids": 0, "versions": 1}
    assert [verdict(inbox, first), verdict(inbox, event(version=1))] == [DUPLICATE, FRESH]
    assert run(*forget, "--all").document == {"ids": 2, "versions": 1}
    assert verdict(inbox, first) is FRESH


@pytest.mark.parametrize(
    ("answer", "code", "then"), [("n\n", 1, DUPLICATE), ("y\n", 0, FRESH), ("\x03", 130, DUPLICATE)]
)
def test_at_a_terminal_it_asks_for_confirmation(stored, answer, code, then):
    inbox, where = stored
    first = event()
    verdict(inbox, first)
    with typing("inbox", "forget", "--consumer", "tests", "--all", *where) as terminal:
        terminal.wait_for(r"Let tests forget all that it handled\? \[y/N\]: ")
        terminal.type(answer)
        assert terminal.code() == code
    assert verdict(inbox, first) is then
