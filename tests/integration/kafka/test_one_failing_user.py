"""A user whose events fail holds up that user's partition at most, for a time, and loses nothing."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from typing import Any

import pytest

from immersiverse.auth.events import Policy, Retry, Subscriber
from integration.kafka.cluster import Cluster, event
from integration.running import eventually, running

FAILING = "u-failing"
EVENTS = 550
OTHERS = [f"u-{n}" for n in range(60)]
STUBBORN = Policy(retry=Retry(attempts=1_000, first=0.2, factor=1, jitter=0))


class Service:
    """What handles events of everybody, but fails for one user as long as it is broken.

    Attributes:
        handled: the numbers of each user's events, as they were handled.
        failures: how often an event failed.
        threads: those that handled, one of each subscriber.
    """

    def __init__(self) -> None:
        self.handled: dict[str, list[int]] = defaultdict(list)
        self.failures = 0
        self.threads: set[int] = set()
        self._is_broken = True

    def subscriber(self, cluster: Cluster, topic: str, group: str, protocol: str) -> Subscriber:
        """A member of a group that handles with this."""
        config = {"group.protocol": protocol}
        subscriber = cluster.subscriber(topic, group, config=config, policy=STUBBORN, backlog=500)
        subscriber.on_any(self._handle)
        return subscriber

    def repair(self) -> None:
        """Fail no more."""
        self._is_broken = False

    def _handle(self, _event: Any, payload: Any) -> None:
        self.threads.add(threading.get_ident())
        if payload.user_id == FAILING and self._is_broken:
            self.failures += 1
            raise OSError
        self.handled[payload.user_id].append(int(payload.session_id))


def elsewhere(cluster: Cluster, topic: str) -> set[str]:
    """Publish an event of each other user: those whose events are on other partitions than what fails."""
    cluster.publish(topic, *map(event, OTHERS))
    places = {str(m.key(), "utf-8"): m.partition() for m in cluster.read(topic, EVENTS + len(OTHERS))}
    return {user for user in OTHERS if places[user] != places[FAILING]}


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_users_of_other_partitions_do_not_wait_for_one_whose_events_fail(
    cluster: Cluster, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    topic, group, service = cluster.create(partitions=4), f"group-{uuid.uuid4()}", Service()
    cluster.publish(topic, *(event(FAILING, n) for n in range(EVENTS)))
    with running(service.subscriber(cluster, topic, group, protocol)):
        eventually(lambda: service.failures > 10)  # what can be fetched has been
        others = elsewhere(cluster, topic)
        assert len(others) >= 30
        eventually(lambda: service.handled.keys() >= others, within=30)
        eventually(lambda: "is paused" in caplog.text)
        assert FAILING not in service.handled
        service.repair()
        eventually(lambda: cluster.lag(group) == 0)
    assert service.handled[FAILING] == list(range(EVENTS))
    assert all(service.handled[user] == [0] for user in OTHERS)
    assert "is resumed" in caplog.text
    assert FAILING not in caplog.text


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_partition_that_is_paused_for_a_user_goes_on_after_a_rebalance(
    cluster: Cluster, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    topic, group, service = cluster.create(partitions=4), f"group-{uuid.uuid4()}", Service()
    cluster.publish(topic, *(event(FAILING, n) for n in range(EVENTS)))
    with running(service.subscriber(cluster, topic, group, protocol)):
        eventually(lambda: "is paused" in caplog.text)
        with running(service.subscriber(cluster, topic, group, protocol)):
            eventually(lambda: cluster.publish(topic, *map(event, OTHERS)) or len(service.threads) > 1)
        service.repair()
        eventually(lambda: cluster.lag(group) == 0)
    assert service.handled[FAILING] == list(range(EVENTS))
    assert service.handled.keys() >= set(OTHERS)
