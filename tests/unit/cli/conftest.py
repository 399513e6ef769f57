"""Commands inside the tests' process, which is quicker than one of their own, and a registry for them."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from immersiverse.auth.events.cli import main
from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from unit.cli.terminal import Result

Command = Callable[..., Result]


@pytest.fixture
def auth_events(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Run a command; its input is `stdin`."""
    monkeypatch.delenv("AUTH_EVENTS_REGISTRY", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)  # pytest-xdist sets it for its workers

    def run(*arguments: str | Path, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsysbinary.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        return Result(code, captured.out.decode(), captured.err.decode())

    return run


@pytest.fixture
def empty_registry() -> Iterator[str]:
    """A registry that knows nothing."""
    with EmbeddedRegistry() as registry:
        yield registry.url


@pytest.fixture
def registry(empty_registry: str, auth_events: Command) -> str:
    """A registry that knows the contract."""
    assert auth_events("schema", "register", "--registry", empty_registry).code == 0
    return empty_registry
