"""Read what a cluster's topics are like, and change them. Topics are never deleted."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from immersiverse.auth.events.admin import lag
from immersiverse.auth.events.admin.topic_setup.plan import (
    AddPartitions,
    ClusterState,
    CreateTopic,
    SetConfig,
    Unread,
    plan_topics,
    planned_changes,
    shortened,
    steps,
)
from immersiverse.auth.events.admin.topic_setup.wanted import CONFIG_KEYS, TopicState
from immersiverse.auth.events.admin.topics import offsets_at
from immersiverse.auth.events.errors import BrokerUnavailable, OperationRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from confluent_kafka.admin import AdminClient, ClusterMetadata

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.lag import PartitionLag
    from immersiverse.auth.events.admin.topic_setup.plan import Step, TopicChange, TopicPlan
    from immersiverse.auth.events.partition import Partition

_EMBEDDED: Final = "mockCluster"  # how librdkafka names the clusters of its mock brokers
_LOOK_EVERY: Final = 0.1  # seconds, while brokers hear of a change
_HEARSAY: Final = 3.0  # seconds that this may take


def make_plan(
    cluster: Cluster,
    wanted: Mapping[str, TopicState],
    *,
    allow_repartition: bool,
    state: ClusterState | None = None,
) -> TopicPlan:
    """What must change on a cluster, from its state now unless that was read already."""
    state = read_state(cluster, wanted) if state is None else state
    changes = [change for change in planned_changes(wanted, state) if shortened(change)]
    unread = _unread(cluster, changes) if changes else {}
    return plan_topics(wanted, state, unread, allow_repartition=allow_repartition)


def read_state(cluster: Cluster, topics: Iterable[str]) -> ClusterState:
    """What a cluster and those of the given topics that exist are like now.

    Raises:
        OperationRefused: if these credentials may not see a topic or its settings, or the broker is embedded.
    """
    found = _metadata(cluster)
    if str(found.cluster_id).startswith(_EMBEDDED):
        raise OperationRefused(
            "UNSUPPORTED",
            "this is an embedded broker (auth-events dev, EmbeddedBroker): it creates topics when they are "
            "used, and has no settings of topics to read or change; use a real cluster",
        )
    configs = _configs(cluster, tuple(topics))
    found = _metadata_with(cluster, configs)
    states = {name: _state(found, name, config) for name, config in configs.items()}
    return ClusterState(str(found.cluster_id), len(found.brokers), states)


def _metadata(cluster: Cluster) -> ClusterMetadata:
    return cluster.ask("list the topics", lambda admin: admin.list_topics(timeout=cluster.timeout))


def _metadata_with(cluster: Cluster, topics: Iterable[str]) -> ClusterMetadata:
    """The list of topics with these, which exist: a broker may hear of a new topic later than others."""
    until = time.monotonic() + _HEARSAY
    while True:
        found = _metadata(cluster)
        missing = [name for name in topics if name not in found.topics]
        if not missing:
            return found
        if time.monotonic() > until:
            reason = f"topic {missing[0]} exists, but these credentials may not DESCRIBE it"
            raise OperationRefused("TOPIC_AUTHORIZATION_FAILED", reason)
        time.sleep(_LOOK_EVERY)


def _state(found: ClusterMetadata, name: str, config: Mapping[str, str]) -> TopicState:
    partitions = found.topics[name].partitions.values()
    return TopicState(len(partitions), min((len(p.replicas) for p in partitions), default=0), config)


def _configs(cluster: Cluster, topics: Sequence[str]) -> dict[str, dict[str, str]]:
    """The settings of each topic that exists."""

    def request(admin: AdminClient) -> dict[str, dict[str, str]]:
        wanted = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
        found = {}
        for resource, answer in admin.describe_configs(wanted, request_timeout=cluster.timeout).items():
            try:
                entries = answer.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise
            else:
                found[resource.name] = {key: str(entries[key].value) for key in CONFIG_KEYS}
        return found

    return cluster.ask("read the settings of topics", request)


def _unread(cluster: Cluster, changes: Sequence[TopicChange]) -> dict[str, list[Unread]]:
    """For each topic, what groups have not read and the shorter retention would delete."""
    rows = lag.measure(cluster, (), {change.topic for change in changes})
    now = int(time.time() * 1000)
    unread: dict[str, list[Unread]] = {}
    for change in changes:
        behind = [row for row in rows if row.partition.topic == change.topic and row.behind]
        cutoff = offsets_at(cluster, {row.partition for row in behind}, now - int(change.after.retention_ms))
        groups = dict.fromkeys(row.group for row in behind)
        counts = {group: _older(behind, group, cutoff) for group in groups}
        unread[change.topic] = [Unread(group, count) for group, count in counts.items() if count]
    return unread


def _older(rows: Iterable[PartitionLag], group: str, cutoff: Mapping[Partition, int | None]) -> int:
    """How many events of a group's lag are before the cutoff; None for a partition whose events all are."""
    count = 0
    for row in rows:
        if row.group == group:
            first_kept = cutoff[row.partition]
            end = row.end if first_kept is None else first_kept
            count += max(0, end - (row.end - row.behind))
    return count


def apply(cluster: Cluster, plan: TopicPlan, done: Callable[[Step], None]) -> None:
    """Make the changes of a plan one by one, and wait until the brokers show all of them.

    It may be interrupted and repeated: what was done stays, and a new plan has the rest.

    Args:
        cluster: the cluster.
        plan: a plan without refusals.
        done: called after each change.

    Raises:
        OperationRefused: if the plan has refusals, or a broker refuses a change; those before it are made.
    """
    if plan.refusals:
        raise OperationRefused("UNSAFE_PLAN", plan.refusals[0].text)
    for step in steps(plan.changes):
        cluster.ask(_purpose(step), partial(_change, step, cluster.timeout))
        done(step)
    _wait_for(cluster, {change.topic: change.after for change in plan.pending})


def _purpose(step: Step) -> str:
    match step:
        case CreateTopic(topic):
            return f"create topic {topic}"
        case AddPartitions(topic):
            return f"add partitions to topic {topic}"
        case SetConfig(topic):
            return f"change the settings of topic {topic}"


def _change(step: Step, seconds: float, admin: AdminClient) -> None:
    match step:
        case CreateTopic(topic, state):
            new = NewTopic(topic, state.partitions, state.replication, config=dict(state.config))
            try:
                admin.create_topics([new], operation_timeout=seconds, request_timeout=seconds)[topic].result()
            except KafkaException as error:
                # By an attempt before, whose response was lost; or by someone else, which the end shows.
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
        case AddPartitions(topic, total):
            more = [NewPartitions(topic, total)]
            admin.create_partitions(more, operation_timeout=seconds, request_timeout=seconds)[topic].result()
        case SetConfig(topic, config):
            entries = [
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in config.items()
            ]
            resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
            for answer in admin.incremental_alter_configs([resource], request_timeout=seconds).values():
                answer.result()


def _wait_for(cluster: Cluster, wanted: Mapping[str, TopicState]) -> None:
    until = time.monotonic() + cluster.timeout
    while wanted:
        found = read_state(cluster, wanted).topics
        different = [name for name, state in wanted.items() if found.get(name) != state]
        if not different:
            return
        if time.monotonic() > until:
            raise BrokerUnavailable(
                f"the changes were accepted, but brokers do not show them yet for {', '.join(different)}; "
                "check with auth-events topics check"
            )
        time.sleep(_LOOK_EVERY)
