"""A broker's configuration, as text: pure, so that it can be read and tested without a broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Node:
    """One process that is both broker and KRaft controller.

    Attributes:
        number: its id in the cluster, from 1.
        client_port: where clients connect, and other brokers where clients need no credentials.
        controller_port: where controllers talk to each other.
        internal_port: where brokers talk to each other where clients need credentials.
        folder: its data, configuration and log.
    """

    number: int
    client_port: int
    controller_port: int
    internal_port: int
    folder: Path

    @property
    def address(self) -> str:
        """What a client calls a bootstrap server."""
        return f"127.0.0.1:{self.client_port}"


def server_properties(node: Node, nodes: tuple[Node, ...], security: Mapping[str, str] | None = None) -> str:
    """The server.properties of one node among all the nodes of its cluster.

    Args:
        node: the node.
        nodes: all of them.
        security: settings that make clients show who they are; unless given anybody is welcome.
    """
    settings = {**_identity(node, nodes), **_durability(len(nodes)), **_SMALL_AND_SWIFT}
    if security is not None:
        settings |= {**_guarded_listeners(node), **security}
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _identity(node: Node, nodes: tuple[Node, ...]) -> dict[str, str]:
    voters = ",".join(f"{other.number}@127.0.0.1:{other.controller_port}" for other in nodes)
    return {
        "node.id": str(node.number),
        "process.roles": "broker,controller",
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENT",
        "listeners": f"CLIENT://{node.address},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"CLIENT://{node.address}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(node.folder / "data"),
    }


def _guarded_listeners(node: Node) -> dict[str, str]:
    internal = f"INTERNAL://127.0.0.1:{node.internal_port}"
    return {
        "inter.broker.listener.name": "INTERNAL",
        "listeners": f"CLIENT://{node.address},{internal},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"CLIENT://{node.address},{internal}",
        "listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    }


def _durability(brokers: int) -> dict[str, str]:
    """Three replicas of which two must agree, as in production, where there are brokers enough."""
    replicas = str(min(brokers, 3))
    in_sync = "2" if brokers >= 3 else "1"
    return {
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        **(_SWIFT_FAILOVER if brokers > 1 else {}),
    }


# A killed broker's partitions get new leaders after 4 s instead of 9.
_SWIFT_FAILOVER = {"broker.session.timeout.ms": "4000", "broker.heartbeat.interval.ms": "500"}

_SMALL_AND_SWIFT = {
    "auto.create.topics.enable": "false",  # a misspelt topic must fail, as in production
    "log.retention.ms": "-1",  # tests write messages of 1970, which must stay
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",  # a test of what follows need not wait for it for six seconds
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),  # its default takes 128 MiB of the heap
}
