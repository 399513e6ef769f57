"""Members come and go under load: nothing is lost, and an owner handles each user's events in order."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections import defaultdict
from typing import Any, Self

import pytest

from immersiverse.auth.events import Policy, Subscriber
from integration.kafka.cluster import SOON, Cluster, event
from integration.running import eventually, running

USERS = 60


class Member:
    """A member of the group, and what it handled.

    Attributes:
        subscriber: what runs.
        handled: each user's events, in the order in which they were handled.
    """

    def __init__(self, cluster: Cluster, topic: str, group: str, protocol: str, kind: str) -> None:
        config = {"group.protocol": protocol}
        if protocol == "classic":
            config |= {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}
        policy = Policy(concurrency=1 if kind == "plain" else 16, retry=SOON)
        self.subscriber: Subscriber = cluster.subscriber(topic, group, config=config, policy=policy)
        self.handled: dict[str, list[int]] = defaultdict(list)
        if kind == "async":
            self.subscriber.on_any(self._wait)
        else:
            self.subscriber.on_any(self._block)

    def _block(self, _event: Any, payload: Any) -> None:
        time.sleep(0.002)
        self.handled[payload.user_id].append(int(payload.session_id))

    async def _wait(self, _event: Any, payload: Any) -> None:
        await asyncio.sleep(0.02)
        self.handled[payload.user_id].append(int(payload.session_id))

    @property
    def count(self) -> int:
        """How much it handled."""
        return sum(map(len, self.handled.values()))


class Load:
    """A thread that publishes until it is stopped, faster than one member handles.

    Attributes:
        published: how many events.
    """

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._publisher = cluster.publisher(topic)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._publish)
        self.published = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Publish no more; what was published is acknowledged then."""
        self._stop.set()
        self._thread.join(60)

    def _publish(self) -> None:
        with self._publisher as publisher:
            while not self._stop.wait(0.05):
                for number in range(self.published, self.published + 25):
                    publisher.send(event(f"u-{number % USERS}", number))
                self.published += 25


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
@pytest.mark.parametrize("kind", ["plain", "async", "threads"])
def test_three_members_that_come_and_go_lose_nothing_and_repeat_nothing(
    cluster: Cluster, protocol: str, kind: str
) -> None:
    topic, group = cluster.create(partitions=6), f"group-{uuid.uuid4()}"
    members = [Member(cluster, topic, group, protocol, kind) for _ in range(3)]
    first, second, third = members
    with Load(cluster, topic) as load, running(first.subscriber):
        eventually(lambda: first.count > 100)
        with running(second.subscriber):
            eventually(lambda: second.count > 100)
            with running(third.subscriber):
                eventually(lambda: third.count > 100)
            time.sleep(1)  # the third left
        load.stop()
        eventually(lambda: sum(cluster.committed(group).values()) == load.published)
    handled = [number for member in members for found in member.handled.values() for number in found]
    assert set(handled) == set(range(load.published)), "events were lost"
    assert len(handled) == load.published, "an orderly rebalance repeats nothing: what runs is drained"
    for member in members:
        firsts = [list(dict.fromkeys(found)) for found in member.handled.values()]
        assert firsts == [sorted(found) for found in firsts]


def test_a_handler_that_outlasts_the_drain_time_gives_its_partitions_away_all_the_same(
    cluster: Cluster,
) -> None:
    topic, group = cluster.create(partitions=2), f"group-{uuid.uuid4()}"
    cluster.publish(topic, *(event(f"u-{n}", n) for n in range(20)))
    stuck = cluster.subscriber(topic, group, drain=0.5)
    let_go, begun = threading.Event(), threading.Event()

    @stuck.on_any
    def wait(_event: Any, _payload: Any) -> None:
        begun.set()
        let_go.wait(60)

    other = Member(cluster, topic, group, "classic", "plain")
    with running(stuck):
        assert begun.wait(30)
        with running(other.subscriber):
            eventually(lambda: other.count > 0, within=30)
            let_go.set()
            stuck.stop()
            eventually(lambda: sum(cluster.committed(group).values()) == 20)
