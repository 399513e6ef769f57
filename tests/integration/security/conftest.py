"""One guarded Kafka for all tests here: they make users and topics of their own."""

from __future__ import annotations

import io
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands import Result
from immersiverse.auth.events.cli import main
from integration.security.guarded import Guarded, User
from stack.guarded_kafka import guarded_kafka
from stack.kafka_security import PLAIN

Run = Callable[..., Result]
PLAIN_USER, PLAIN_PASSWORD = "plain", "password-of-plain"


@pytest.fixture(scope="session")
def guarded() -> Iterator[Guarded]:
    """A real Kafka that asks for credentials."""
    with guarded_kafka({PLAIN_USER: PLAIN_PASSWORD}) as (cluster, security):
        kafka = Guarded(cluster, security)
        kafka.committed("reader", kafka.topic())  # the first question for a group makes the place for them
        yield kafka


@pytest.fixture
def user(guarded: Guarded) -> User:
    """A new user, who may do nothing."""
    return guarded.user()


@pytest.fixture
def plain_user(guarded: Guarded) -> User:
    """A user who authenticates by PLAIN; tests share it."""
    return User(guarded, PLAIN_USER, PLAIN_PASSWORD, PLAIN)


@pytest.fixture
def topic(guarded: Guarded) -> str:
    """A topic of one partition that no other test knows."""
    return guarded.topic()


@pytest.fixture
def dead_letter_topic(guarded: Guarded) -> str:
    """A dead letter topic that no other test knows."""
    return guarded.topic(f"dlq-{uuid.uuid4()}")


@pytest.fixture
def group() -> str:
    """A consumer group that no other test knows."""
    return f"group-{uuid.uuid4()}"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs auth-events; its input is `stdin`."""
    monkeypatch.delenv("AUTH_EVENTS_REGISTRY", raising=False)
    monkeypatch.delenv("AUTH_EVENTS_BOOTSTRAP_SERVERS", raising=False)

    def run(*arguments: str, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsysbinary.readouterr()
        code = main(arguments)
        captured = capsysbinary.readouterr()
        return Result(code, captured.out.decode(), captured.err.decode())

    return run


@pytest.fixture
def auth_events(terminal: Run, tmp_path: Path) -> Run:
    """Runs auth-events as a user, whose credentials are in a file."""
    file = tmp_path / "client.properties"

    def run(user: User, *arguments: str, stdin: str = "") -> Result:
        file.write_text("".join(f"{key}={value}\n" for key, value in user.config.items()))
        return terminal(*arguments, "--config-file", str(file), stdin=stdin)

    return run
