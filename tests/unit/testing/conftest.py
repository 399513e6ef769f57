from __future__ import annotations

from collections.abc import Iterator

import pytest

from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from unit.testing.caller import Caller


@pytest.fixture
def registry() -> Iterator[EmbeddedRegistry]:
    with EmbeddedRegistry() as started:
        yield started


@pytest.fixture
def ask(registry: EmbeddedRegistry) -> Iterator[Caller]:
    caller = Caller(registry.url)
    yield caller
    caller.connection.close()
