"""One at a time: who redrives dead letters holds the first partition of their topic in a consumer group."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, KafkaException

from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.operations.partitions import partitions_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka import Consumer

    from immersiverse.auth.events.operations.cluster import Cluster

GROUP: Final = "auth-events-redrive"
"""The group; it commits nothing."""

_PATIENCE = 12.0  # seconds; brokers let a group's first members wait for others, three seconds unless told
_SESSION = 10_000  # milliseconds after which who died counts as gone
_SETTINGS: Mapping[str, Any] = {
    "group.id": GROUP,
    "group.protocol": "classic",
    "partition.assignment.strategy": "range",
    "session.timeout.ms": _SESSION,
    "heartbeat.interval.ms": _SESSION // 4,
    "enable.partition.eof": False,
}


@contextmanager
def sole_turn(cluster: Cluster, topic: str) -> Iterator[None]:
    """Keep others from doing the same to a topic meanwhile.

    Once it holds the partition, a holder never asks its group for anything: whoever comes later waits in vain
    for a share, and is refused.

    Raises:
        OperationRefused: if somebody else has the turn, or rights are missing.
        BrokerUnavailable: if nobody answers.
    """
    partitions_of(cluster, (topic,))  # a cluster that does not answer is no rival
    consumer = cluster.reader(_SETTINGS)
    held: list[int] = []

    def hold(consumer: Consumer, assigned: list[Any]) -> None:
        held.extend(partition.partition for partition in assigned)
        consumer.pause(assigned)

    try:
        consumer.subscribe([topic], on_assign=hold)
        until = time.monotonic() + _PATIENCE
        while not held and time.monotonic() < until:
            _require_no_refusal(cluster, consumer.poll(0.1))
        if 0 not in held:
            raise OperationRefused(
                "NON_EMPTY_GROUP",
                f"another redrive of {topic} is running, or was killed less than {_SESSION // 1000} s ago",
            )
        yield
    except KafkaException as error:
        raise cluster.failure(f"redrive {topic}", error.args[0]) from error
    finally:
        consumer.close()


def _require_no_refusal(cluster: Cluster, message: Any) -> None:
    error = message.error() if message is not None else None
    if error is not None and error.code() in (
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    ):
        raise cluster.failure(f"join the group {GROUP}", error)
