"""Consumer groups: their members, their assigned partitions, and the offsets that they have committed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.admin._group_admin_subprocess import ask_coordinators
from immersiverse.auth.events.admin.topics import did_you_mean
from immersiverse.auth.events.errors import AuthEventsError, OperationRefused
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from confluent_kafka import Consumer

    from immersiverse.auth.events.admin.cluster import Cluster

_log = get_logger(__name__)

_NAMED: Final = 3  # groups that an error names; of more it gives the number
# Brokers answer one of these when offsets of a group that has members are altered.
_HAS_MEMBERS: Final = frozenset(
    {
        *("UNKNOWN_MEMBER_ID", "NON_EMPTY_GROUP", "GROUP_SUBSCRIBED_TO_TOPIC"),
        *("REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION"),
    }
)
_PARALLEL: Final = 8  # lookups at a time; each consumer has a few threads
_CHECK_SECONDS: Final = 1.0  # without a response for so long, check for an authorization error
_COMMITTED_SETTINGS: Final[Mapping[str, Any]] = {
    "isolation.level": "read_uncommitted",  # else the lookup waits for open transactions
}


@dataclass(frozen=True, slots=True)
class ConsumerGroup:
    """A consumer group as it is now.

    Attributes:
        name: its name.
        state: Kafka's name of its state in lower case, such as ``stable``, ``empty``, or ``dead`` if it does
            not exist.
        members: its members as ``client-id at host``.
        assigned: the partitions that are assigned to its members.
    """

    name: str
    state: str
    members: tuple[str, ...]
    assigned: tuple[Partition, ...]

    @property
    def exists(self) -> bool:
        """Whether Kafka knows the group."""
        return self.state != ConsumerGroupState.DEAD.name.lower()


def group_names(cluster: Cluster) -> tuple[str, ...]:
    """All groups that these credentials may see."""
    purpose = "list the consumer groups"
    found = cluster.ask(
        purpose, lambda admin: admin.list_consumer_groups(request_timeout=cluster.timeout).result()
    )
    for cause in found.errors:
        kafka_error = cause.args[0] if isinstance(cause, KafkaException) else cause
        error = cluster.error_for(purpose, kafka_error)
        if not found.valid:
            raise error
        _log.warning("some groups may be missing: %s", error)
    return tuple(sorted(group.group_id for group in found.valid))


def unknown_group(cluster: Cluster, name: str) -> OperationRefused:
    """The error to raise for a group that does not exist."""
    try:
        others = group_names(cluster)
    except AuthEventsError:  # without a suggestion then
        others = ()
    reason = f"consumer group {name!r} does not exist{did_you_mean(name, others)}"
    return OperationRefused("GROUP_ID_NOT_FOUND", reason)


def describe_groups(cluster: Cluster, names: Collection[str]) -> tuple[ConsumerGroup, ...]:
    """Describe groups, in the given order."""
    if not names:
        return ()
    which = ", ".join(names) if len(names) <= _NAMED else f"{len(names)} groups"
    purpose = f"describe the consumer groups ({which})"
    found = ask_coordinators(cluster, purpose, {"describe": list(names)})
    return tuple(_group(name, answer) for name, answer in zip(names, found, strict=True))


def _group(name: str, answer: Mapping[str, Any]) -> ConsumerGroup:
    assigned = tuple(Partition(topic, number) for topic, number in answer["assigned"])
    return ConsumerGroup(name, answer["state"], tuple(answer["members"]), assigned)


def set_offsets(cluster: Cluster, name: str, offsets: Mapping[Partition, int]) -> None:
    """Set the next offsets of a group; brokers refuse that while the group has members."""
    purpose = f"set the offsets of consumer group {name}"
    wanted = [[partition.topic, partition.number, offset] for partition, offset in offsets.items()]
    try:
        ask_coordinators(cluster, purpose, {"alter": name, "offsets": wanted})
    except OperationRefused as error:
        if error.code not in _HAS_MEMBERS:
            raise
        raise OperationRefused(error.code, f"cannot {purpose}: it has members; stop them first") from error


def committed_offsets(
    cluster: Cluster, names: Collection[str], partitions: Collection[Partition]
) -> dict[str, dict[Partition, int]]:
    """The next offset of each group in every partition for which it has committed one. Joins no group.

    A group that does not exist has committed nothing.
    """
    if not partitions:
        return {name: {} for name in names}
    with ThreadPoolExecutor(_PARALLEL) as pool:
        found = pool.map(lambda name: _committed(cluster, name, partitions), names)
        return dict(zip(names, found, strict=True))


def _committed(cluster: Cluster, name: str, partitions: Collection[Partition]) -> dict[Partition, int]:
    wanted = [TopicPartition(*partition) for partition in partitions]

    def request(_admin: Any) -> list[TopicPartition]:
        found = _response(consumer, wanted, cluster.timeout)
        for partition in found:
            if partition.error is not None:
                raise KafkaException(partition.error)
        return found

    consumer = cluster.reader({**_COMMITTED_SETTINGS, "group.id": name})
    try:
        found = cluster.ask(f"look up the committed offsets of consumer group {name}", request)
    finally:
        consumer.close()
    return {Partition(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}


def _response(consumer: Consumer, wanted: list[TopicPartition], seconds: float) -> list[TopicPartition]:
    """Without authorization, ``committed`` only times out; the reason comes as an error of ``poll``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return consumer.committed(wanted, timeout=min(_CHECK_SECONDS, seconds))
        except KafkaException as error:
            message = consumer.poll(0)
            if message is not None and (refusal := message.error()) is not None:
                raise KafkaException(refusal) from error
            if error.args[0].code() != KafkaError._TIMED_OUT or time.monotonic() > deadline:  # noqa: SLF001 - librdkafka's name
                raise
