"""A group that comes back after retention removed what it had not handled reports the loss, and goes on."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from immersiverse.auth.events.observability.hooks import Detail, RetentionLoss
from integration.kafka.cluster import Cluster, event
from integration.running import eventually, running


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_events_that_were_removed_before_they_were_handled_are_reported(
    cluster: Cluster, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    topic, group = cluster.create(partitions=1), f"group-{uuid.uuid4()}"
    cluster.publish(topic, *(event("a", number) for number in range(10)))
    position = TopicPartition(topic, 0, 2)
    committing = Consumer({**cluster.config, "group.id": group})
    committing.commit(offsets=[position], asynchronous=False)
    committing.close()
    removed = TopicPartition(topic, 0, 6)
    admin = AdminClient(cluster.config)  # which must live until it has an answer
    admin.delete_records([removed])[removed].result(30)

    details: list[Detail] = []
    subscriber = cluster.subscriber(topic, group, config={"group.protocol": protocol}, hooks=[details.append])
    seen: list[int] = []

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        seen.append(int(payload.session_id))

    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 10})
    assert seen == [6, 7, 8, 9]
    assert [each for each in details if isinstance(each, RetentionLoss)] == [RetentionLoss(topic, 0, 2, 6)]
    assert f"before group {group} handled them: offsets 2 to 5 are lost" in caplog.text
