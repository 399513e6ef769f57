"""Commands inside the tests' process, and a registry for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from commands import Command, in_process
from immersiverse.auth.events.testing.registry import EmbeddedRegistry


@pytest.fixture
def auth_events(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Run a command; its input is `stdin`."""
    return in_process(monkeypatch, capsysbinary)


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
