"""What every test of publishing and consuming needs: topics of its own on a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integration.kafka.cluster import Cluster


@pytest.fixture
def cluster(kafka: Any) -> Iterator[Cluster]:
    """The real broker; topics made through it are gone after the test."""
    with Cluster(kafka.bootstrap) as cluster:
        yield cluster


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many publishers' acknowledgements are looked up in the log."""
    return int(request.config.getoption("rounds"))
