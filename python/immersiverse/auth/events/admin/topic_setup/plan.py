"""What must change so that topics are as wanted, in which order, and which changes are refused. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events import catalog
from immersiverse.auth.events.admin.topic_setup.partitions import SAMPLE_KEYS, moved_keys
from immersiverse.auth.events.admin.topic_setup.wanted import CONFIG_KEYS, DAY, TopicState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PARTITIONS: Final = "partitions"
REPLICATION: Final = "replication"


@dataclass(frozen=True, slots=True)
class ClusterState:
    """What a cluster is like.

    Attributes:
        cluster_id: Kafka's id of it.
        brokers: how many brokers it has now.
        topics: those of the contract's topics that exist.
    """

    cluster_id: str
    brokers: int
    topics: Mapping[str, TopicState]


@dataclass(frozen=True, slots=True)
class Unread:
    """Events that a group has not read, and that a shorter retention would delete."""

    group: str
    count: int


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting of a topic; ``before`` is None if the topic does not exist."""

    name: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class TopicChange:
    """What happens to a topic; it may be nothing.

    Attributes:
        topic: the topic.
        before: what it is like; None if it does not exist.
        after: what it will be like.
    """

    topic: str
    before: TopicState | None
    after: TopicState

    @property
    def action(self) -> str:
        """Its name: ``create``, ``change`` or ``none``."""
        if self.before is None:
            return "create"
        return "change" if self.settings else "none"

    @property
    def settings(self) -> tuple[SettingChange, ...]:
        """The settings that change, or all of a new topic."""
        before = values_of(self.before) if self.before else {}
        found = (
            SettingChange(name, before.get(name), value) for name, value in values_of(self.after).items()
        )
        return tuple(setting for setting in found if setting.before != setting.after)


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a change is refused, or what an operator must know of it."""

    topic: str
    setting: str
    text: str


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """What changes on a cluster.

    Attributes:
        cluster_id: which cluster.
        allow_repartition: whether keys may move to other partitions.
        changes: one for each topic, the dead letter topic first.
        refusals: why the plan must not be applied; empty if it may.
        warnings: consequences of what is not refused.
    """

    cluster_id: str
    allow_repartition: bool
    changes: tuple[TopicChange, ...]
    refusals: tuple[Remark, ...]
    warnings: tuple[Remark, ...]

    @property
    def pending(self) -> tuple[TopicChange, ...]:
        """The topics that are not as wanted."""
        return tuple(change for change in self.changes if change.action != "none")


@dataclass(frozen=True, slots=True)
class CreateTopic:
    """Create a topic with all its settings."""

    topic: str
    state: TopicState

    def __str__(self) -> str:
        return f"created {self.topic}"


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """Give a topic more partitions."""

    topic: str
    total: int

    def __str__(self) -> str:
        return f"{self.topic}: {self.total} partitions"


@dataclass(frozen=True, slots=True)
class SetConfig:
    """Set some of a topic's settings, and leave the others."""

    topic: str
    config: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.topic}: " + ", ".join(f"{name}={value}" for name, value in self.config.items())


Step = CreateTopic | AddPartitions | SetConfig
"""One request that changes a cluster. Each can be repeated, and what is between two of them loses nothing."""


def values_of(topic: TopicState) -> dict[str, str]:
    """Partitions, replication and settings of a topic, by name, as text."""
    return {PARTITIONS: str(topic.partitions), REPLICATION: str(topic.replication), **topic.config}


def plan_topics(
    wanted: Mapping[str, TopicState],
    state: ClusterState,
    unread: Mapping[str, Sequence[Unread]],
    *,
    allow_repartition: bool,
) -> TopicPlan:
    """What must change on a cluster.

    Args:
        wanted: what each topic is to be like.
        state: what the cluster is like.
        unread: for each topic with `shortened` retention, what groups would lose.
        allow_repartition: whether existing topics may get more partitions.
    """
    changes = planned_changes(wanted, state)
    refusals = [
        refusal
        for change in changes
        for refusal in (
            *_refused_replication(change, state.brokers),
            *_refused_partitions(change, allow_repartition=allow_repartition),
            *_refused_retention(change, unread.get(change.topic, ())),
        )
    ]
    warnings = [warning for change in changes for warning in _warnings(change)]
    return TopicPlan(state.cluster_id, allow_repartition, changes, tuple(refusals), tuple(warnings))


def planned_changes(wanted: Mapping[str, TopicState], state: ClusterState) -> tuple[TopicChange, ...]:
    """The change of each topic. The dead letter topic is first: its limit must grow before the others' do."""
    names = sorted(wanted, key=lambda name: name != catalog.DEAD_LETTER_TOPIC)
    return tuple(
        TopicChange(name, state.topics.get(name), _target(name, wanted[name], state.topics.get(name)))
        for name in names
    )


def _target(name: str, wanted: TopicState, current: TopicState | None) -> TopicState:
    """The state to reach. The dead letter topic's limit never shrinks: topics may hold larger messages."""
    if name != catalog.DEAD_LETTER_TOPIC or current is None or current.message_limit <= wanted.message_limit:
        return wanted
    limit = {"max.message.bytes": str(current.message_limit)}
    return TopicState(wanted.partitions, wanted.replication, {**wanted.config, **limit})


def shortened(change: TopicChange) -> bool:
    """Whether a change lets retention delete messages earlier."""
    return change.before is not None and change.after.retention_ms < change.before.retention_ms


def _retention_setting(change: TopicChange) -> str:
    """The setting that shortens retention; of a topic that was compacted only, it may be the policy alone."""
    names = [setting.name for setting in change.settings]
    return "retention.ms" if "retention.ms" in names else "cleanup.policy"


def steps(changes: Sequence[TopicChange]) -> Iterator[Step]:
    """The requests that make changes, in order."""
    for change in changes:
        if change.before is None:
            yield CreateTopic(change.topic, change.after)
            continue
        if change.after.partitions > change.before.partitions:
            yield AddPartitions(change.topic, change.after.partitions)
        if config := {s.name: s.after for s in change.settings if s.name in CONFIG_KEYS}:
            yield SetConfig(change.topic, config)


def _refused_replication(change: TopicChange, brokers: int) -> Iterator[Remark]:
    replicas = change.after.replication
    if change.before is None and replicas > brokers:
        text = f"{replicas} replicas need as many brokers, and the cluster has {brokers} now"
        yield Remark(change.topic, REPLICATION, f"{text}: start more, or set replication in the YAML")
    if change.before is not None and change.before.replication != replicas:
        text = "this command moves no replicas: use kafka-reassign-partitions.sh"
        current = change.before.replication
        yield Remark(change.topic, REPLICATION, f"{text}, or set replication: {current} in the YAML")


def _refused_partitions(change: TopicChange, *, allow_repartition: bool) -> Iterator[Remark]:
    if change.before is None:
        return
    before, after = change.before.partitions, change.after.partitions
    if after < before:
        text = f"Kafka cannot remove partitions, and their events would be lost; set partitions: {before}"
        yield Remark(change.topic, PARTITIONS, text)
    if after > before and not allow_repartition:
        text = f"{_moved(before, after)}; let consumers catch up, and pass --allow-repartition"
        yield Remark(change.topic, PARTITIONS, text)


def _refused_retention(change: TopicChange, unread: Sequence[Unread]) -> Iterator[Remark]:
    if not shortened(change):
        return
    for found in unread:
        days = change.after.retention_ms / DAY
        text = f"group {found.group} has not read {found.count:,} events that are older than {days:g} days"
        yield Remark(change.topic, _retention_setting(change), f"{text}: let it catch up first")


def _warnings(change: TopicChange) -> Iterator[Remark]:
    if change.before is None:
        return
    before, after = change.before.partitions, change.after.partitions
    if after > before:
        yield Remark(change.topic, PARTITIONS, _moved(before, after))
    if shortened(change):
        text = f"events older than {change.after.retention_ms / DAY:g} days will be deleted"
        yield Remark(change.topic, _retention_setting(change), text)


def _moved(before: int, after: int) -> str:
    moved = moved_keys(before, after)
    return (
        f"{moved:,} of {SAMPLE_KEYS:,} sample users ({moved / SAMPLE_KEYS:.0%}) move to another partition, "
        "and their unread events may be handled out of order"
    )
