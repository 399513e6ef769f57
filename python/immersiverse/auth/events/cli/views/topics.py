"""The plan of a cluster's topics, and an advice of partitions, on a terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from immersiverse.auth.events.admin.topic_setup.partitions import STEP
from immersiverse.auth.events.admin.topic_setup.wanted import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.admin.topic_setup.partitions import PartitionAdvice, TopicLoad
    from immersiverse.auth.events.admin.topic_setup.plan import Remark, TopicChange, TopicPlan

_SIGNS: Final = {"create": ("+", "green"), "change": ("~", "yellow"), "none": ("=", "dim")}
_NAME_WIDTH: Final = 21
_WHOLE: Final = 10  # users a partition, from which on a decimal says nothing


def plan_document(plan: TopicPlan) -> dict[str, Any]:
    """A plan as JSON."""
    return {
        "clusterId": plan.cluster_id,
        "topics": [
            {
                "topic": change.topic,
                "action": change.action,
                "settings": [asdict(setting) for setting in change.settings],
            }
            for change in plan.changes
        ],
        "refused": [asdict(refusal) for refusal in plan.refusals],
        "warnings": [asdict(warning) for warning in plan.warnings],
    }


def plan_text(plan: TopicPlan) -> Text:
    """A plan as a migration tool shows it: ``+`` is created, ``~`` changes, ``=`` stays, ``!`` is refused."""
    lines = [line for change in plan.changes for line in _topic_lines(change, plan)]
    return Text("\n").join([*lines, Text(), Text(summary(plan))])


def summary(plan: TopicPlan) -> str:
    """How many topics would be created and changed, and how many changes are refused."""
    actions = [change.action for change in plan.changes]
    counts = {"to create": "create", "to change": "change", "as wanted": "none"}
    text = ", ".join(f"{actions.count(action)} {what}" for what, action in counts.items())
    return f"{text}, {len(plan.refusals)} refused" if plan.refusals else text


def _topic_lines(change: TopicChange, plan: TopicPlan) -> Iterator[Text]:
    sign, style = _SIGNS[change.action]
    yield Text(f"{sign} {change.topic}", style)
    shown = set()
    for setting in change.settings:
        shown.add(setting.name)
        before = "" if setting.before is None else f"{_value(setting.name, setting.before)} -> "
        yield Text(f"    {setting.name:<{_NAME_WIDTH}}{before}{_value(setting.name, setting.after)}", style)
        yield from _remarks(plan, change.topic, setting.name)


def _remarks(plan: TopicPlan, topic: str, setting: str) -> Iterator[Text]:
    refused = _texts(plan.refusals, topic, setting)
    for text in refused:
        yield Text(f"    ! refused: {text}", "red")
    if not refused:
        for text in _texts(plan.warnings, topic, setting):
            yield Text(f"      {text}", "yellow")


def _texts(remarks: tuple[Remark, ...], topic: str, setting: str) -> list[str]:
    return [remark.text for remark in remarks if (remark.topic, remark.setting) == (topic, setting)]


def _value(name: str, value: str) -> str:
    if name == "retention.ms":
        return f"{value} ({int(value) / DAY:g} days)" if int(value) >= 0 else f"{value} (no limit)"
    return value


def advice_document(load: TopicLoad, advice: PartitionAdvice) -> dict[str, Any]:
    """An advice as JSON; rates are events a second."""
    return {
        "partitions": advice.partitions,
        "consumers": advice.consumers,
        "load": load.capacity,
        "busiestPartition": round(advice.busiest, 1),
        "enough": advice.enough,
    }


def advice_lines(load: TopicLoad, advice: PartitionAdvice) -> Iterator[str]:
    """An advice with its arithmetic."""
    partitions, consumers, each = advice.partitions, advice.consumers, load.events_per_consumer
    mean, share = load.capacity / partitions, load.users / partitions
    decimals = 0 if share >= _WHOLE else 1
    yield (
        f"load             {load.events_per_second:,g} events/s * {load.headroom:g} headroom = "
        f"{load.capacity:,g} events/s"
    )
    yield f"consumers        {load.capacity:,g} / {each:,g} events/s each, rounded up = {consumers:,}"
    yield f"users            {load.users:,} / {partitions:,} = {share:,.{decimals}f} a partition"
    yield (
        f"busiest          {advice.busiest:,.0f} events/s, {advice.busiest / mean:.2f} times the mean of "
        f"{mean:,.0f}, by simulation of user ids"
    )
    yield f"partitions       {partitions:,}, a multiple of {STEP} that {consumers:,} consumers can share"
    if not advice.enough:
        yield (
            f"                 no number is enough: the busiest partition has more than {each:,g} events/s; "
            "make handlers faster"
        )
