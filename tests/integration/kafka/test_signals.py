"""A subscriber ends cleanly when it is asked to, and at once when it is asked twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from integration.kafka.cluster import Cluster, event

TESTS = Path(__file__).parents[2]


@contextmanager
def process(
    cluster: Cluster, topic: str, group: str, kind: str, seconds: float
) -> Iterator[subprocess.Popen[str]]:
    arguments = [cluster.bootstrap, topic, group, kind, str(seconds)]
    running = subprocess.Popen(
        [sys.executable, "-m", "integration.kafka.signalled", *arguments],
        stdout=subprocess.PIPE, text=True, cwd=TESTS, env={**os.environ, "PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("kind", ["plain", "threads"])
def test_a_signal_lets_what_runs_finish_commits_and_ends_well(
    cluster: Cluster, number: signal.Signals, kind: str
) -> None:
    topic, group = cluster.create(partitions=1), f"group-{uuid.uuid4()}"
    cluster.publish(topic, *(event("a", n) for n in range(5)))
    with process(cluster, topic, group, kind, 0.5) as running:
        assert line(running) == "begun 0"
        running.send_signal(number)
        assert line(running) == "done 0"
        assert line(running).startswith("end")
        assert running.wait(20) == 0
    assert cluster.committed(group) == {0: 1}


def test_a_second_signal_ends_a_handler_that_does_not_return(cluster: Cluster) -> None:
    topic, group = cluster.create(partitions=1), f"group-{uuid.uuid4()}"
    cluster.publish(topic, event("a"))
    with process(cluster, topic, group, "plain", 600) as running:
        assert line(running) == "begun 0"
        running.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == -signal.SIGTERM
    assert cluster.committed(group) == {}


def test_a_handler_in_a_thread_that_does_not_return_does_not_keep_the_process_from_ending(
    cluster: Cluster,
) -> None:
    topic, group = cluster.create(partitions=1), f"group-{uuid.uuid4()}"
    cluster.publish(topic, event("a"))
    with process(cluster, topic, group, "threads", 600) as running:
        assert line(running) == "begun 0"
        running.send_signal(signal.SIGTERM)
        assert line(running).startswith("end")
        assert running.wait(20) == 0
    assert cluster.committed(group) == {}


def test_what_a_killed_process_did_not_commit_is_handled_by_the_next(cluster: Cluster) -> None:
    topic, group = cluster.create(partitions=1), f"group-{uuid.uuid4()}"
    cluster.publish(topic, event("a", 0), event("a", 1))
    with process(cluster, topic, group, "plain", 0.2) as running:
        assert line(running) == "begun 0"
        running.kill()
    seen: list[str] = []
    subscriber = cluster.subscriber(topic, group)

    @subscriber.on_any
    def handle(_event: object, payload: object) -> None:
        seen.append(payload.session_id)  # type: ignore[attr-defined]  # a LoggedOut
        if len(seen) == 2:
            subscriber.stop()

    subscriber.run()
    assert seen == ["0", "1"]
