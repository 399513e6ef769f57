"""What the run stands on: three brokers whose clocks can jump, one whose disk can be full, and a registry."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.clocks import Clocks
from chaos.disks import Disk, mounted
from chaos.story import TOPICS
from immersiverse.auth.events import SchemaRegistry
from immersiverse.auth.events.errors import RegistryUnavailable
from stack.kafka import KafkaCluster, report_ready, start_kafka
from stack.ports import free_ports
from stack.server import Server, wait_until_ready

BROKERS = range(1, 4)
SMALL_DISK = 1
"""The broker that has a disk of its own."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The embedded registry, which keeps its schemas in a file, as a process of its own."""

    url: str
    server: Server


@dataclass(frozen=True, slots=True)
class Machines:
    """Everything that runs and is not ours.

    Attributes:
        cluster: the brokers.
        registry: where the schemas of the topics are registered.
        clocks: those of the brokers.
        disk: that of one broker; None where only root could mount one.
    """

    cluster: KafkaCluster
    registry: Registry
    clocks: Clocks
    disk: Disk | None

    def impossible(self) -> list[str]:
        """Faults that cannot be staged here, and why."""
        reasons = {
            "clock jumped: needs a C compiler, cc": not self.clocks.environments,
            "disk full: only root can mount a disk": self.disk is None,
        }
        return [reason for reason, applies in reasons.items() if applies]


@contextmanager
def machines() -> Iterator[Machines]:
    """Start them; nothing is left behind.

    Raises:
        StackError: something cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="auth-events-chaos-") as name:
        folder = Path(name)
        clocks = Clocks(folder, BROKERS)
        with mounted(folder / f"kafka-{SMALL_DISK}" / "data") as disk, _registry(folder) as registry:
            cluster = start_kafka(folder, len(BROKERS), environments=clocks.environments)
            try:
                report_ready(cluster)
                yield Machines(cluster, registry, clocks, disk)
            finally:
                cluster.kill()


@contextmanager
def _registry(folder: Path) -> Iterator[Registry]:
    (port,) = free_ports(1)
    options = ("registry", "serve", "--port", str(port), "--file", str(folder / "registry.json"))
    command = [sys.executable, "-m", "immersiverse.auth.events.cli", *options]
    server = Server("registry", command, folder / "registry.log")
    server.start()
    try:
        url = f"http://127.0.0.1:{port}"
        with SchemaRegistry(url, patience=2.0) as schemas:
            wait_until_ready(lambda: _answers(schemas), [server])
            for topic in TOPICS:
                schemas.register(topic, "PROTOBUF")
        yield Registry(url, server)
    finally:
        server.kill()


def _answers(schemas: SchemaRegistry) -> bool:
    try:
        schemas.registered("none")
    except RegistryUnavailable:
        return False
    return True
