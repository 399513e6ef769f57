"""auth-events new: what it writes passes its tests and runs, and it overwrites nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from commands import Command
from immersiverse.auth.events.testing import EmbeddedStack

ROOT = Path(__file__).parents[3]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", ["consumer", "producer"])
def test_a_new_project_passes_its_tests(auth_events: Command, here: Path, kind: str) -> None:
    result = auth_events("new", kind, "my-service")
    assert result.code == 0
    written = {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()}
    assert written == set(re.findall(r"^my-service/\S+$", result.out, re.MULTILINE))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=here / "my-service", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_what_a_new_producer_publishes_a_new_consumer_handles(auth_events: Command, here: Path) -> None:
    auth_events("new", "producer", "registration")
    auth_events("new", "consumer", "welcome-mails")

    def command(module: str) -> list[str]:
        return [sys.executable, "-c", f"import sys; sys.path.insert(0, 'src'); import {module}.__main__"]

    with EmbeddedStack() as stack:
        environment = {
            **os.environ,
            "AUTH_EVENTS_BOOTSTRAP_SERVERS": stack.bootstrap,
            "AUTH_EVENTS_REGISTRY": stack.registry_url,
        }
        subprocess.run(command("registration"), cwd=here / "registration", env=environment, check=True)
        consumer = subprocess.Popen(
            command("welcome_mails"), cwd=here / "welcome-mails", env=environment,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with consumer:
            assert consumer.stderr is not None
            assert any("welcome, alice" in line for line in consumer.stderr)
            consumer.terminate()
    assert consumer.returncode == 0


def test_nothing_is_overwritten(auth_events: Command, here: Path) -> None:
    (here / "service-a").mkdir()
    result = auth_events("new", "consumer", "service-a")
    assert (result.code, result.out) == (1, "")
    assert result.err == "auth-events: nothing was written: service-a exists\n"


@pytest.mark.parametrize("name", ["Service", "a b", "../a", "class", "json", "a_b", "-a"])
def test_a_name_that_is_no_project_and_module_is_refused(auth_events: Command, here: Path, name: str) -> None:
    result = auth_events("new", "producer", "--", name)
    assert (result.code, result.out, list(here.iterdir())) == (2, "", [])


def test_the_servers_of_the_compose_file_are_those_of_the_tests(auth_events: Command, here: Path) -> None:
    auth_events("new", "consumer", "service-a")
    compose = (here / "service-a" / "compose.yaml").read_text()
    stack = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["immersiverse"]["stack"]
    assert f"apache/kafka:{stack['kafka']}" in compose
    assert f"apicurio/apicurio-registry:{stack['apicurio']}" in compose
