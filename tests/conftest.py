"""How every test runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
ROUNDS = 6
NEED_SERVERS = {"chaos", "integration"}
START_SOMETHING = {"component", "fuzz", "golden", "property"}  # or take their time

# A property's worth is in its examples; how long one takes on a shared machine says nothing.
settings.register_profile("events", deadline=None, print_blob=True)
# What differs between versions of a dependency shows in a few of them.
settings.register_profile("brief", deadline=None, print_blob=True, max_examples=20)
settings.load_profile("events")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Teach pytest `--unit`, `--component`, `--every-edit`, and `--chaos` with its options."""
    parser.addoption("--unit", action="store_true", help="only the unit tests, which start nothing")
    parser.addoption("--component", action="store_true", help="only the tests that need no servers")
    parser.addoption(
        "--every-edit", action="store_true", help="every single edit of the contract, not a sample of them"
    )
    parser.addoption("--chaos", action="store_true", help="chaos for minutes, with a new seed each time")
    parser.addoption("--seconds", type=float, help="for how long chaos reigns")
    parser.addoption("--seed", type=int, help="which chaos")
    parser.addoption(
        "--rounds", type=int, default=ROUNDS, help="new publishers whose acknowledgements are looked up"
    )
    parser.addoption("--protocol", default="classic", help="how groups keep together: classic or consumer")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is asked to run for long has no timeout."""
    if config.getoption("chaos") or config.getoption("every_edit") or config.getoption("rounds") > ROUNDS:
        for item in items:
            item.add_marker(pytest.mark.timeout(0))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folders of the tests that are not asked for."""
    left_out: set[str] = set()
    if config.getoption("unit") or config.getoption("component"):
        left_out |= NEED_SERVERS
    if config.getoption("unit"):
        left_out |= START_SOMETHING
    return True if collection_path.parent == TESTS and collection_path.name in left_out else None
