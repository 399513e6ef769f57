"""A user's tests with the pytest plugin pass against a real broker, whose topics it creates."""

from __future__ import annotations

from component.testing.users_pytest import run_pytest
from integration.conftest import Kafka


def test_a_users_tests_pass(kafka: Kafka) -> None:
    done = run_pytest(f"--auth-events-kafka={kafka.bootstrap}", "test_broker.py", "test_anyio.py")
    assert done.returncode == 0, done.stdout + done.stderr
