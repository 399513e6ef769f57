"""How every test runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

NEED_SERVERS = {"browser", "chaos", "integration"}

# A property's worth is in its examples; how long one takes on a shared machine says nothing.
settings.register_profile("events", deadline=None, print_blob=True)
settings.load_profile("events")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Teach pytest `--unit`."""
    parser.addoption("--unit", action="store_true", help="only the tests that need no servers")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folders whose tests need servers."""
    left_out = config.getoption("unit") and collection_path.name in NEED_SERVERS
    return True if left_out else None
