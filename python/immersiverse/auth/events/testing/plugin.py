"""The pytest plugin: an embedded Kafka and registry for a session, and what keeps its tests apart.

Pytest imports it at every start, also where no test uses it: so everything heavy is imported in the fixtures.
Fixtures are plain functions, for tests of any kind and any event loop.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.testing.broker import EmbeddedBroker
    from immersiverse.auth.events.testing.published import PublishedEvents, TopicEnds
    from immersiverse.auth.events.testing.registry import EmbeddedRegistry

_OPTION = "--auth-events-kafka"
_VARIABLE = "AUTH_EVENTS_KAFKA"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for a real broker."""
    parser.getgroup("auth-events").addoption(
        _OPTION,
        metavar="BOOTSTRAP",
        help=f"brokers for the fixture auth_events_kafka, also from {_VARIABLE}; embedded unless given",
    )


@pytest.fixture(scope="session")
def auth_events_broker() -> Iterator[EmbeddedBroker]:
    """An embedded broker that has the contract's topics; its address is ``bootstrap``."""
    from immersiverse.auth.events.testing.broker import EmbeddedBroker  # noqa: PLC0415 - see above

    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def auth_events_registry() -> Iterator[EmbeddedRegistry]:
    """An embedded registry that has the contract; its address is ``url``."""
    from immersiverse.auth.events.registry import SchemaRegistry  # noqa: PLC0415
    from immersiverse.auth.events.testing.registry import EmbeddedRegistry  # noqa: PLC0415
    from immersiverse.auth.events.testing.stack import register_contract  # noqa: PLC0415

    with EmbeddedRegistry() as running:
        with SchemaRegistry(running.url) as registry:
            register_contract(registry)
        yield running


@pytest.fixture(scope="session")
def auth_events_kafka(request: pytest.FixtureRequest) -> str:
    """For ``bootstrap.servers``: brokers that the command line or the environment names, or embedded ones.

    Topics of the contract that those brokers lack are created.
    """
    given = request.config.getoption(_OPTION) or os.environ.get(_VARIABLE)
    if given:
        from immersiverse.auth.events.testing.published import create_topics  # noqa: PLC0415

        create_topics(str(given))
        return str(given)
    broker: EmbeddedBroker = request.getfixturevalue("auth_events_broker")
    return broker.bootstrap


@pytest.fixture
def auth_events_group(_auth_events_ends: TopicEnds) -> str:
    """A consumer group of this test alone, which reads what is published from now on, and nothing before."""
    return _auth_events_ends.new_group()


@pytest.fixture
def published(_auth_events_ends: TopicEnds) -> Iterator[PublishedEvents]:
    """The events that reach Kafka during this test."""
    with _auth_events_ends.reader() as reader:
        yield reader


@pytest.fixture
def _auth_events_ends(auth_events_kafka: str) -> TopicEnds:
    """Where the topics end as the test begins."""
    from immersiverse.auth.events.testing.published import TopicEnds  # noqa: PLC0415

    return TopicEnds(auth_events_kafka)
