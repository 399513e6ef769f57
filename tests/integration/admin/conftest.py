"""A real Kafka for operators, and their commands inside the tests' process."""

from __future__ import annotations

import io
import sys
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from commands import Result
from immersiverse.auth.events.cli import main
from integration.admin.cluster_tools import Command
from integration.conftest import Kafka


@pytest.fixture
def auth_events(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Command:
    """Runs commands on the cluster; their input is `stdin`."""
    monkeypatch.delenv("AUTH_EVENTS_REGISTRY", raising=False)
    monkeypatch.setenv("AUTH_EVENTS_BOOTSTRAP_SERVERS", kafka.bootstrap)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsysbinary.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        return Result(code, captured.out.decode(), captured.err.decode())

    return run


@pytest.fixture
def group() -> str:
    """A consumer group that no other test knows."""
    return f"group-{uuid.uuid4()}"


@pytest.fixture
def dead_letters(kafka: Kafka) -> Iterator[str]:
    """A dead letter topic of three partitions that no other test knows."""
    name = f"dlq-{uuid.uuid4()}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(name, num_partitions=3)])[name].result(timeout=30)
    yield name
    admin.delete_topics([name])[name].result(timeout=30)
