"""Consumer groups: who is in them, and where they are told to read on."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException

from immersiverse.auth.events.errors import AuthEventsError, OperationRefused
from immersiverse.auth.events.operations.coordinators import ask_coordinators
from immersiverse.auth.events.operations.partitions import Partition
from immersiverse.auth.events.operations.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from immersiverse.auth.events.operations.cluster import Cluster

_log = logging.getLogger(__name__)

_NAMED: Final = 3  # more names than this say nothing in an error
# What brokers answer when offsets of a group are altered over its members' heads.
_LIVE: Final = frozenset(
    {
        *("UNKNOWN_MEMBER_ID", "NON_EMPTY_GROUP", "GROUP_SUBSCRIBED_TO_TOPIC"),
        *("REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION"),
    }
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


def unknown(cluster: Cluster, name: str) -> OperationRefused:
    """What to raise for a group that does not exist."""
    try:
        others = group_names(cluster)
    except AuthEventsError:  # what was meant is a courtesy
        others = ()
    return OperationRefused("GROUP_ID_NOT_FOUND", f"there is no group {name!r}{did_you_mean(name, others)}")


def _error_of(refusal: KafkaError | KafkaException) -> KafkaError:
    return refusal.args[0] if isinstance(refusal, KafkaException) else refusal


def describe(cluster: Cluster, names: Collection[str]) -> tuple[Group, ...]:
    """Some groups, in their order.

    Raises:
        OperationRefused, BrokerUnavailable: if one of them cannot be described.
    """
    if not names:
        return ()
    which = ", ".join(names) if len(names) <= _NAMED else f"{len(names)} groups"
    purpose = f"describe the consumer groups ({which})"
    found = ask_coordinators(cluster, purpose, {"describe": list(names)})
    return tuple(_group(name, answer) for name, answer in zip(names, found, strict=True))


def _group(name: str, answer: Mapping[str, Any]) -> Group:
    assigned = tuple(Partition(topic, number) for topic, number in answer["assigned"])
    return Group(name, answer["state"], tuple(answer["members"]), assigned)


def commit(cluster: Cluster, name: str, offsets: Mapping[Partition, int]) -> None:
    """Set what a group reads next; its brokers refuse that while it has members.

    Raises:
        OperationRefused: if the group is live, or rights are missing; some offsets may be altered by then.
        BrokerUnavailable: if nobody answers; some offsets may be altered by then.
    """
    purpose = f"alter the offsets of the group {name}"
    wanted = [[partition.topic, partition.number, offset] for partition, offset in offsets.items()]
    try:
        ask_coordinators(cluster, purpose, {"alter": name, "offsets": wanted})
    except OperationRefused as error:
        if error.code not in _LIVE:
            raise
        raise OperationRefused(error.code, f"cannot {purpose}: it has members; stop them first") from error
