"""What happens to a subscriber whose log is cut off or made anew."""

from __future__ import annotations

import uuid
from itertools import count
from typing import Any

import pytest

from immersiverse.auth.events import Subscriber
from integration.kafka.cluster import Cluster, event
from integration.running import eventually, running

QUICKLY = {"topic.metadata.refresh.interval.ms": 1_000}  # in which a new topic is noticed


def listening(cluster: Cluster, topic: str, group: str, **config: Any) -> tuple[Subscriber, list[int]]:
    """A subscriber, and the numbers of what it has handled."""
    subscriber = cluster.subscriber(topic, group, config={**QUICKLY, **config})
    seen: list[int] = []
    subscriber.on_any(lambda _event, payload: seen.append(int(payload.session_id)))
    return subscriber, seen


@pytest.mark.parametrize("reset", ["earliest", "latest"])
def test_what_retention_took_before_it_was_read_is_reported_in_the_log(
    cluster: Cluster, reset: str, caplog: pytest.LogCaptureFixture
) -> None:
    topic, group = cluster.create(partitions=1), f"group-{uuid.uuid4()}"
    cluster.publish(topic, *(event("a", number) for number in range(3)))
    first, seen = listening(cluster, topic, group)
    with running(first):
        eventually(lambda: cluster.committed(group) == {0: 3})
    cluster.publish(topic, *(event("a", number) for number in range(3, 9)))
    cluster.forget(topic, before=6)
    second, seen = listening(cluster, topic, group, **{"auto.offset.reset": reset})
    later = count(9)  # of which `latest` may skip some, too: those that come before it has found the end

    def a_later_one_is_handled() -> bool:
        cluster.publish(topic, event("a", next(later)))
        return any(number >= 9 for number in seen)

    with running(second):
        eventually(lambda: "offset reset (at offset 3 " in caplog.text)
        eventually(a_later_one_is_handled)
    assert topic in caplog.text
    assert [number for number in seen if number < 9] == ([6, 7, 8] if reset == "earliest" else [])


def test_a_topic_that_is_made_anew_is_read_from_its_beginning(cluster: Cluster) -> None:
    topic, group = cluster.create(partitions=1), f"group-{uuid.uuid4()}"
    cluster.publish(topic, *(event("a", number) for number in range(9)))
    subscriber, seen = listening(cluster, topic, group)
    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 9})
        cluster.recreate(topic)
        cluster.publish(topic, *(event("a", number) for number in range(20, 23)))
        eventually(lambda: cluster.committed(group) == {0: 3})
    assert seen == [*range(9), 20, 21, 22]
