"""A cluster's durability follows from how many brokers it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.kafka_settings import Node, server_properties


def settings(brokers, security=None):
    nodes = tuple(
        Node(number, 10_000 + number, 11_000 + number, 12_000 + number, Path(f"/{number}"))
        for number in range(1, brokers + 1)
    )
    return dict(line.split("=", 1) for line in server_properties(nodes[-1], nodes, security).splitlines())


@pytest.mark.parametrize(
    ("brokers", "replicas", "in_sync"), [(1, "1", "1"), (2, "2", "1"), (3, "3", "2"), (5, "3", "2")]
)
def test_replicas_and_in_sync_replicas_fit_the_number_of_brokers(brokers, replicas, in_sync):
    written = settings(brokers)
    assert written["default.replication.factor"] == replicas
    assert written["offsets.topic.replication.factor"] == replicas
    assert written["min.insync.replicas"] == in_sync


def test_every_node_votes_and_is_known_by_its_controller_port():
    assert settings(3)["controller.quorum.voters"] == "1@127.0.0.1:11001,2@127.0.0.1:11002,3@127.0.0.1:11003"


def test_a_node_listens_to_this_machine_only():
    assert settings(1)["listeners"] == "CLIENT://127.0.0.1:10001,CONTROLLER://127.0.0.1:11001"


def test_where_clients_need_credentials_brokers_talk_on_a_listener_of_their_own():
    guarded = settings(1, {"super.users": "User:admin"})
    assert guarded["listeners"] == (
        "CLIENT://127.0.0.1:10001,INTERNAL://127.0.0.1:12001,CONTROLLER://127.0.0.1:11001"
    )
    assert guarded["listener.security.protocol.map"].startswith("CLIENT:SASL_SSL,")
    assert guarded["inter.broker.listener.name"] == "INTERNAL"
    assert guarded["super.users"] == "User:admin"
