"""A plan that was written to a file: which cluster it is for, and the state that it was made from. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from immersiverse.auth.events.admin.topic_setup.plan import TopicChange, values_of
from immersiverse.auth.events.admin.topic_setup.wanted import (
    CONFIG_KEYS,
    TopicState,
    contract_topics,
    require_safe,
)
from immersiverse.auth.events.errors import ConfigurationError, OperationRefused

if TYPE_CHECKING:
    from immersiverse.auth.events.admin.topic_setup.plan import ClusterState, TopicPlan

_FORMAT: Final = 1  # raised when an older version could misread a file


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """The changes of a plan file, and the cluster that they are for."""

    cluster_id: str
    allow_repartition: bool
    changes: tuple[TopicChange, ...]

    @property
    def wanted(self) -> dict[str, TopicState]:
        """What each topic is to be like."""
        return {change.topic: change.after for change in self.changes}


def encode(plan: TopicPlan) -> bytes:
    """A plan as the content of a file."""
    document = {
        "format": _FORMAT,
        "clusterId": plan.cluster_id,
        "allowRepartition": plan.allow_repartition,
        "topics": {
            change.topic: {
                "before": asdict(change.before) if change.before else None,
                "after": asdict(change.after),
            }
            for change in plan.changes
        },
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def decode(content: bytes, where: str) -> SavedPlan:
    """A plan from the content of a file.

    Raises:
        ConfigurationError: if it is not a plan, or one that would lose events.
    """
    try:
        document = orjson.loads(content)
        if document["format"] != _FORMAT:
            raise ConfigurationError(where, "was written by another version of auth-events; plan again")
        changes = tuple(
            TopicChange(name, _state(found["before"]) if found["before"] else None, _state(found["after"]))
            for name, found in document["topics"].items()
        )
        saved = SavedPlan(str(document["clusterId"]), document["allowRepartition"] is True, changes)
        wanted = saved.wanted
        if set(wanted) - {*contract_topics(single_topic=False), *contract_topics(single_topic=True)}:
            raise ConfigurationError(where, "names a topic that is not the contract's")
        require_safe(wanted)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigurationError(where, "is not a plan of auth-events topics plan --out") from error
    return saved


def _state(found: Any) -> TopicState:
    if set(found["config"]) != set(CONFIG_KEYS):
        raise ValueError("other settings than those of a plan")
    config = {name: str(found["config"][name]) for name in CONFIG_KEYS}
    return TopicState(int(found["partitions"]), int(found["replication"]), config)


def require_unchanged(saved: SavedPlan, state: ClusterState) -> None:
    """Refuse a plan for another cluster, or one whose topics someone has changed since.

    A plan that was applied in part is not refused: each setting is as it was, or as it is to be.

    Raises:
        OperationRefused: with the first difference.
    """
    if state.cluster_id != saved.cluster_id:
        raise OperationRefused(
            "STALE_PLAN",
            f"the plan is for cluster {saved.cluster_id}, and this is cluster {state.cluster_id}",
        )
    for change in saved.changes:
        if reason := _difference(change, state.topics.get(change.topic)):
            raise OperationRefused(
                "STALE_PLAN", f"{change.topic} {reason} since the plan was made; plan again"
            )


def _difference(change: TopicChange, current: TopicState | None) -> str:
    if current is None:
        return "was deleted" if change.before is not None else ""
    expected, found = values_of(change.after), values_of(current)
    before = values_of(change.before) if change.before else expected
    for name, value in found.items():
        if value not in (before[name], expected[name]):
            return f"was changed ({name} is {value})"
    return ""
