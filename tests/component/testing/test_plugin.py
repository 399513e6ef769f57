"""The pytest plugin in a project of its own; `scripts/check kit` runs the same project on the built wheel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from component.testing.users_pytest import run_pytest
from immersiverse.auth.events.testing.broker import EmbeddedBroker


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["in one process", "with xdist"])
def test_a_users_tests_pass(options: tuple[str, ...]) -> None:
    done = run_pytest(*options)
    assert done.returncode == 0, done.stdout + done.stderr


def project(folder: Path, kafka: str) -> Path:
    """One that expects brokers at an address."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_kafka.py").write_text(
        f"def test_it(auth_events_kafka):\n    assert auth_events_kafka == {kafka!r}\n"
    )
    return folder


def test_real_brokers_come_from_an_option_or_else_the_environment(tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        option, folder = f"--auth-events-kafka={broker.bootstrap}", project(tmp_path, broker.bootstrap)
        assert run_pytest(option, folder=folder).returncode == 0
        assert run_pytest(folder=folder, AUTH_EVENTS_KAFKA=broker.bootstrap).returncode == 0
        assert run_pytest(option, folder=folder, AUTH_EVENTS_KAFKA="localhost:1").returncode == 0


def test_a_users_tests_pass_on_brokers_of_another_process() -> None:
    with EmbeddedBroker() as broker:
        done = run_pytest(f"--auth-events-kafka={broker.bootstrap}", "test_broker.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_every_start_of_pytest_imports_is_light() -> None:
    code = "import sys, immersiverse.auth.events.testing.plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"confluent_kafka", "google.protobuf", "hypothesis", "orjson", "starlette", "uvicorn"}
    assert not heavy & set(done.stdout.split())
