"""Consumer groups: who is in them, and what they have committed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.operations.partitions import Partition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka.admin import AdminClient

    from immersiverse.auth.events.operations.cluster import Cluster

_log = logging.getLogger(__name__)

# What brokers answer when offsets of a group are altered over its members' heads.
_LIVE = (
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.NON_EMPTY_GROUP,
    KafkaError.GROUP_SUBSCRIBED_TO_TOPIC,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.ILLEGAL_GENERATION,
)


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group as it is now.

    Attributes:
        name: its name.
        state: Kafka's word for it in lower case, such as ``stable`` or ``empty``; ``dead`` if there is none.
        members: its members as ``client-id at host``.
        assigned: the partitions that its members have.
    """

    name: str
    state: str
    members: tuple[str, ...]
    assigned: tuple[Partition, ...]

    @property
    def exists(self) -> bool:
        """Whether Kafka knows it."""
        return self.state != ConsumerGroupState.DEAD.name.lower()


def group_names(cluster: Cluster) -> tuple[str, ...]:
    """Every group that these credentials may see.

    Raises:
        OperationRefused, BrokerUnavailable: if they cannot be listed.
    """
    purpose = "list the consumer groups"
    found = cluster.ask(
        purpose, lambda admin: admin.list_consumer_groups(request_timeout=cluster.timeout).result()
    )
    for refusal in found.errors:
        failure = cluster.failure(purpose, _error_of(refusal))
        if not found.valid:
            raise failure
        _log.warning("some groups may be missing: %s", failure)
    return tuple(sorted(group.group_id for group in found.valid))


def _error_of(refusal: KafkaError | KafkaException) -> KafkaError:
    return refusal.args[0] if isinstance(refusal, KafkaException) else refusal


def describe(cluster: Cluster, name: str) -> Group:
    """One group.

    Raises:
        OperationRefused, BrokerUnavailable: if it cannot be described.
    """
    found = cluster.ask(
        f"describe the group {name}",
        lambda admin: admin.describe_consumer_groups([name], request_timeout=cluster.timeout)[name].result(),
    )
    assigned = (tp for member in found.members for tp in member.assignment.topic_partitions)
    return Group(
        name,
        found.state.name.lower(),
        tuple(f"{member.client_id} at {member.host.removeprefix('/')}" for member in found.members),
        tuple(Partition(tp.topic, tp.partition) for tp in assigned),
    )


def committed(cluster: Cluster, name: str) -> dict[Partition, int]:
    """The next offset that a group reads, in every partition where it has committed one.

    Raises:
        OperationRefused, BrokerUnavailable: if it cannot be had.
    """

    def ask(admin: AdminClient) -> list[TopicPartition]:
        wanted = [ConsumerGroupTopicPartitions(name)]
        futures = admin.list_consumer_group_offsets(wanted, request_timeout=cluster.timeout)
        found: list[TopicPartition] = futures[name].result().topic_partitions
        return found

    found = cluster.ask(f"look up what the group {name} has committed", ask)
    return {Partition(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}


def commit(cluster: Cluster, name: str, offsets: Mapping[Partition, int]) -> None:
    """Set what a group reads next; its brokers refuse that while it has members.

    Raises:
        OperationRefused: if the group is live, or rights are missing; some offsets may be altered by then.
        BrokerUnavailable: if nobody answers.
    """
    purpose = f"alter the offsets of the group {name}"

    def ask(admin: AdminClient) -> list[TopicPartition]:
        wanted = [
            TopicPartition(partition.topic, partition.number, offset) for partition, offset in offsets.items()
        ]
        futures = admin.alter_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(name, wanted)], request_timeout=cluster.timeout
        )
        answered: list[TopicPartition] = futures[name].result().topic_partitions
        return answered

    for answer in cluster.ask(purpose, ask):
        if answer.error is None:
            continue
        if answer.error.code() in _LIVE:
            raise OperationRefused(answer.error.name(), f"cannot {purpose}: it has members; stop them first")
        raise cluster.failure(purpose, answer.error)
