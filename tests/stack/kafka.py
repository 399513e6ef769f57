"""Apache Kafka in KRaft mode: one broker, or several that can be killed and brought back."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stack.downloads import kafka_libraries
from stack.error import StackError
from stack.java import java
from stack.kafka_security import Security
from stack.kafka_settings import Node, server_properties
from stack.ports import free_ports
from stack.progress import say
from stack.server import Server, wait_until_ready
from stack.versions import pinned_versions

CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
LOG_FORMAT = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.showShortLogName=true",
)


@dataclass(frozen=True)
class Broker:
    """A broker of a cluster: `server` kills, stops and starts it.

    Attributes:
        number: its id in Kafka's metadata, from 1.
        address: its host and port, the same after a restart.
        server: its process.
    """

    number: int
    address: str
    server: Server


@dataclass(frozen=True)
class KafkaCluster:
    """A running cluster; from three brokers on topics default to three replicas, two of them in sync.

    Attributes:
        brokers: its brokers.
        credentials: librdkafka's settings for the user who may do everything; none where every client may.
    """

    brokers: tuple[Broker, ...]
    credentials: Mapping[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """The value of ``bootstrap.servers``."""
        return ",".join(broker.address for broker in self.brokers)

    @property
    def servers(self) -> tuple[Server, ...]:
        """The processes behind it."""
        return tuple(broker.server for broker in self.brokers)

    def broker(self, number: int) -> Broker:
        """The broker that Kafka's metadata calls by this number."""
        return next(broker for broker in self.brokers if broker.number == number)

    def wait_until_ready(self) -> None:
        """Wait until every broker is in the cluster's metadata, also after a restart of one.

        Raises:
            StackError: a broker died or did not come up; the end of its log is in the message.
        """
        patient = {"log_level": 0, "reconnect.backoff.max.ms": 200}
        admin = AdminClient({"bootstrap.servers": self.bootstrap, **self.credentials, **patient})

        def all_present() -> bool:
            try:
                return len(admin.list_topics(timeout=1).brokers) == len(self.brokers)
            except KafkaException:
                return False

        wait_until_ready(all_present, self.servers)

    def kill(self) -> None:
        """End every broker at once."""
        for server in self.servers:
            server.kill()


def start_kafka(
    folder: Path,
    brokers: int = 1,
    security: Security | None = None,
    environments: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
) -> KafkaCluster:
    """Start a cluster whose data lives in `folder`; returns before it is ready.

    Args:
        folder: where its data lives, that of broker 1 in ``kafka-1/data``.
        brokers: how many.
        security: how clients show who they are; unless given anybody may do everything.
        environments: what the environments of brokers have besides ours, by their numbers.

    Raises:
        StackError: Kafka cannot be downloaded or its storage cannot be prepared.
    """
    version = pinned_versions().kafka
    libraries = kafka_libraries(version)
    nodes = _nodes(folder, brokers, security)
    _format(nodes, libraries, security.format_options() if security else ())
    heap = 512 if brokers == 1 else 384
    cluster = KafkaCluster(
        tuple(_broker(node, libraries, heap, environments.get(node.number)) for node in nodes),
        security.super_user_settings() if security else {},
    )
    for server in cluster.servers:
        server.start()
    return cluster


@contextmanager
def kafka_cluster(brokers: int = 1) -> Iterator[KafkaCluster]:
    """A cluster of real brokers, ready to use, that leaves nothing behind.

    Raises:
        StackError: it cannot be downloaded or started; the message says why.
    """
    with tempfile.TemporaryDirectory(prefix="auth-events-kafka-") as folder:
        cluster = start_kafka(Path(folder), brokers)
        try:
            report_ready(cluster)
            yield cluster
        finally:
            cluster.kill()


def report_ready(cluster: KafkaCluster) -> None:
    """Wait for a cluster and say so to the user."""
    cluster.wait_until_ready()
    seconds = cluster.servers[0].age
    say(f"kafka {pinned_versions().kafka}: at {cluster.bootstrap} after {seconds:.1f} s")


def _nodes(folder: Path, brokers: int, security: Security | None) -> tuple[Node, ...]:
    ports = iter(free_ports(3 * brokers))
    nodes = tuple(
        Node(number, next(ports), next(ports), next(ports), folder / f"kafka-{number}")
        for number in range(1, brokers + 1)
    )
    guard = security.broker_settings() if security else None
    for node in nodes:
        node.folder.mkdir(parents=True, exist_ok=True)
        (node.folder / "server.properties").write_text(server_properties(node, nodes, guard))
    return nodes


def _format(nodes: tuple[Node, ...], libraries: Path, options: tuple[str, ...]) -> None:
    tool = [*java(128, "-cp", f"{libraries}/*"), "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID]
    commands = [
        subprocess.Popen(
            [*tool, *options, "-c", str(node.folder / "server.properties")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for node in nodes
    ]
    for command in commands:
        output, _ = command.communicate()
        if command.returncode:
            raise StackError(f"Kafka's storage cannot be prepared:\n{output}")


def _broker(node: Node, libraries: Path, heap: int, environment: Mapping[str, str] | None) -> Broker:
    command = java(heap, *LOG_FORMAT, "-cp", f"{libraries}/*")
    command += ["kafka.Kafka", str(node.folder / "server.properties")]
    server = Server(f"kafka broker {node.number}", command, node.folder / "broker.log", environment)
    return Broker(node.number, node.address, server)
