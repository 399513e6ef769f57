"""A member that leaves in order hands over what it handled, whatever the group is doing meanwhile."""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack
from typing import Any

import pytest

from immersiverse.auth.events import Subscriber
from integration.kafka.cluster import Cluster, event
from integration.running import eventually, running

USERS = 200
EVENTS = 10_000
EACH = 0.002  # seconds that the handler of the member that stops takes
INTERVAL = 0.1  # seconds between commits: see Cluster.subscriber


class Member:
    """A member of the group, and what it handled.

    Attributes:
        subscriber: what runs.
        handled: the numbers of the events, in the order in which they were handled.
    """

    def __init__(self, cluster: Cluster, topic: str, group: str, config: dict[str, str], each: float) -> None:
        self.subscriber: Subscriber = cluster.subscriber(topic, group, config=config)
        self.handled: list[int] = []

        @self.subscriber.on_any
        def handle(_event: Any, payload: Any) -> None:
            time.sleep(each)
            self.handled.append(int(payload.session_id))


def members(cluster: Cluster, topic: str, protocol: str, auto: str) -> tuple[Member, Member, Member]:
    """One that hears of a rebalance at once, one that hears of it late, and one that comes later."""
    group = f"group-{uuid.uuid4()}"
    config = {"group.protocol": protocol, "enable.auto.commit": auto, "auto.commit.interval.ms": "100"}
    soon, late = (
        ({"heartbeat.interval.ms": interval} if protocol == "classic" else {}) for interval in ("100", "5000")
    )
    return (
        Member(cluster, topic, group, config | soon, EACH),
        Member(cluster, topic, group, config | late, 0.5),
        Member(cluster, topic, group, config | soon, 0),
    )


@pytest.mark.parametrize(
    ("protocol", "auto"), [("classic", "false"), ("classic", "true"), ("consumer", "false")]
)
def test_a_member_that_stops_while_the_group_waits_for_another_hands_over_what_it_handled(
    cluster: Cluster, protocol: str, auto: str
) -> None:
    topic = cluster.create(partitions=6)
    stopped, slow, joining = members(cluster, topic, protocol, auto)
    cluster.publish(topic, *(event(f"u-{n % USERS}", n) for n in range(EVENTS)))
    with ExitStack() as first, ExitStack() as others:
        first.enter_context(running(stopped.subscriber))
        eventually(lambda: len(stopped.handled) > 50)
        others.enter_context(running(slow.subscriber))
        eventually(lambda: slow.handled)
        others.enter_context(running(joining.subscriber))
        joined = len(stopped.handled)
        eventually(lambda: len(stopped.handled) > joined + 500)
        first.close()
        slow.subscriber.stop()
        every = (stopped, slow, joining)
        eventually(lambda: {number for each in every for number in each.handled} == set(range(EVENTS)))
    again = sum(len(each.handled) for each in every) - EVENTS
    assert again <= 2 * INTERVAL / EACH, f"{again} events were handled again"
