"""The real broker and registry: those that scripts/test started, else started here; never skipped."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from golden.corpus import released_code
from golden.corpus.release import releases
from stack.command import KAFKA_VARIABLE, REGISTRY_VARIABLE
from stack.kafka import kafka_cluster
from stack.registry import apicurio as started_apicurio


@dataclass(frozen=True)
class Kafka:
    """A real cluster, as its clients see it."""

    bootstrap: str


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """A real Kafka."""
    if bootstrap := os.environ.get(KAFKA_VARIABLE):
        yield Kafka(bootstrap)
    else:
        with kafka_cluster() as cluster:
            yield Kafka(cluster.bootstrap)


@pytest.fixture(scope="session")
def apicurio() -> Iterator[str]:
    """The URL of a real registry's Confluent API, which enforces BACKWARD_TRANSITIVE.

    It holds the first release's contract before today's, as one that has lived through both.
    """
    if url := os.environ.get(REGISTRY_VARIABLE):
        _register_first_release(url)
        yield url
    else:
        with started_apicurio() as url:
            _register_first_release(url)
            yield url


def _register_first_release(url: str) -> None:
    nothing = {"do": "publish", "format": "protobuf", "events": [], "bootstrap": "127.0.0.1:9"}
    task = {**nothing, "registry": url, "topic": "first-release"}
    service = Path(released_code.__file__).with_name("released_service.py")
    released_code.installed(releases()[0].wheel).run(service, stdin=json.dumps(task))


@pytest.fixture
def topic(kafka: Kafka) -> Iterator[str]:
    """A topic of three partitions that no other test knows."""
    name = f"test-{uuid.uuid4()}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(name, num_partitions=3)])[name].result(timeout=30)
    yield name
    admin.delete_topics([name])[name].result(timeout=30)
