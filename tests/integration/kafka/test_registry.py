"""A subscriber whose registry hangs, or refuses one id: a real broker, and a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Producer

from immersiverse.auth.events import AuthEventDeserializer, LoggedOut, Policy, SchemaRegistry
from immersiverse.auth.events.registry.contract import contract_schema
from integration.kafka.cluster import SOON, Cluster, event
from integration.running import eventually, running
from scripted_registry import Answering, scripted

TESTS = Path(__file__).parents[2]
KNOWN, OTHER = 1, 2
CONTRACT = {"schemaType": "PROTOBUF", "schema": contract_schema("PROTOBUF").text}


def send(cluster: Cluster, place: tuple[str, int], user: str, schema_id: int, number: int) -> None:
    """Send an event whose frame names an id."""
    producer = Producer(cluster.config)
    value = b"\x00" + schema_id.to_bytes(4) + b"\x00" + event(user, number).SerializeToString()
    producer.produce(place[0], value, key=user, partition=place[1])
    assert producer.flush(30) == 0


def says_nothing(answering: Answering) -> None:
    answering.server.gone.wait(600)


def drips_a_head(answering: Answering) -> None:
    answering.wfile.write(b"HTTP/1.1 200 OK\r\nX-Header: ")
    answering.drip()


def drips_a_body(answering: Answering) -> None:
    answering.head(200, {"Content-Type": "application/json"})
    answering.drip()


@pytest.mark.parametrize("hangs", [says_nothing, drips_a_head, drips_a_body])
def test_a_registry_that_hangs_on_one_id_stops_neither_other_events_nor_commits_nor_sigterm(
    cluster: Cluster, hangs
) -> None:
    topic, group = cluster.create(partitions=2), f"group-{uuid.uuid4()}"

    def answer(path: str, answering: Answering) -> None:
        if path.endswith(f"/ids/{KNOWN}"):
            answering.say(CONTRACT)
        else:
            hangs(answering)

    with scripted(answer) as registry:
        send(cluster, (topic, 1), "b", OTHER, 0)
        send(cluster, (topic, 0), "a", KNOWN, 1)
        send(cluster, (topic, 0), "a", KNOWN, 2)
        arguments = [cluster.bootstrap, topic, group, registry.url]
        consuming = subprocess.Popen(
            [sys.executable, "-m", "integration.kafka.reading", *arguments],
            stdout=subprocess.PIPE, text=True, cwd=TESTS, env={**os.environ, "PYTHONPATH": str(TESTS)},
        )  # fmt: skip
        try:
            assert consuming.stdout is not None
            assert [consuming.stdout.readline().strip() for _ in range(2)] == ["done 1", "done 2"]
            eventually(lambda: cluster.committed(group) == {0: 2})
            eventually(lambda: f"/schemas/ids/{OTHER}" in registry.asked)
            asked = time.monotonic()
            consuming.send_signal(signal.SIGTERM)
            assert consuming.stdout.readline().strip() == "end"
            assert consuming.wait(30) == 0
            assert time.monotonic() - asked < 20  # the drain time is one second
        finally:
            consuming.kill()
            consuming.communicate()
    assert cluster.committed(group) == {0: 2}


def test_an_id_that_is_refused_becomes_a_dead_letter_and_is_committed(cluster: Cluster) -> None:
    topic, dead_letter_topic, group = (
        cluster.create(partitions=1),
        cluster.create(partitions=1),
        f"group-{uuid.uuid4()}",
    )

    def answer(path: str, answering: Answering) -> None:
        if path.endswith(f"/ids/{KNOWN}"):
            answering.say(CONTRACT)
        else:
            answering.refuse(40301)

    send(cluster, (topic, 0), "a", KNOWN, 0)
    send(cluster, (topic, 0), "b", OTHER, 1)
    send(cluster, (topic, 0), "b", KNOWN, 2)
    handled: list[str] = []
    with scripted(answer) as registry, SchemaRegistry({"url": registry.url, "max.retries": 0}) as client:
        subscriber = cluster.subscriber(
            topic,
            group,
            dead_letter_topic=dead_letter_topic,
            deserializer=AuthEventDeserializer(client),
            policy=Policy(retry=SOON),
        )

        @subscriber.on(LoggedOut)
        def handle(_event, payload) -> None:
            handled.append(payload.session_id)

        with running(subscriber):
            eventually(lambda: cluster.committed(group) == {0: 3})
    (dead_letter,) = cluster.read(dead_letter_topic, 1)
    assert b"SchemaRefused" in b" ".join(value for _, value in dead_letter.headers() or [] if value)
    assert handled == ["0", "2"]
