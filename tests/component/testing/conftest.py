from __future__ import annotations

from collections.abc import Iterator

import pytest

from component.testing.caller import Caller
from immersiverse.auth.events.testing.registry import EmbeddedRegistry


@pytest.fixture
def registry() -> Iterator[EmbeddedRegistry]:
    with EmbeddedRegistry() as started:
        yield started


@pytest.fixture
def ask(registry: EmbeddedRegistry) -> Iterator[Caller]:
    caller = Caller(registry.url)
    yield caller
    caller.connection.close()


collect_ignore = ["kit_project"]  # a user's own tests, run by test_plugin.py as its project would run them
