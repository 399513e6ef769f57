"""auth-events topics: the contract's topics on a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING

import typer
from typer import Argument, Option

from immersiverse.auth.events.cli.commands import CommandGroup
from immersiverse.auth.events.cli.options import AS_JSON, YES
from immersiverse.auth.events.cli.options.kafka import KafkaOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.output import (
    VERDICT,
    WRONG_USE,
    CommandFailed,
    console,
    require_yes,
    warn,
    write_json,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.topic_setup.plan import TopicPlan

_KAFKA = "localhost:9092"
_REPARTITION: bool = Option(
    False, "--allow-repartition", help="Allow more partitions, which moves users to other ones."
)

topics = CommandGroup("The contract's topics: plan what is missing or differs, apply it, check it.")


@dataclass(frozen=True, slots=True)
class WantedOptions:
    """What the topics are to be like."""

    settings: Path | None = Option(
        None,
        "--settings",
        "-s",
        metavar="FILE",
        help="YAML with partitions, replication, retention and so on, instead of the defaults.",
    )
    single_topic: bool = Option(False, "--single-topic", help="All events on one topic.")

    def plan(self, cluster: Cluster, *, allow_repartition: bool) -> TopicPlan:
        """What must change on a cluster."""
        from immersiverse.auth.events.admin.topic_setup import changes, wanted

        document = wanted.read_settings(self.settings) if self.settings else None
        states = wanted.wanted_topics(document, single_topic=self.single_topic)
        return changes.make_plan(cluster, states, allow_repartition=allow_repartition)


@topics.add(
    "plan",
    "Show what must change.",
    f"auth-events topics plan -b {_KAFKA} --settings topics.yaml --out topics.plan",
)
def plan(
    *,
    kafka: KafkaOptions,
    wanted: WantedOptions,
    allow_repartition: bool = _REPARTITION,
    out: Path | None = Option(None, "--out", metavar="FILE", help="Write the plan, for apply FILE."),
    as_json: bool = AS_JSON,
) -> None:
    """Show what must change so that the contract's topics exist and are as wanted. Changes nothing.

    Refused are changes that lose events or their order: fewer partitions, more without --allow-repartition,
    and a retention so short that a group would lose what it has not read.

    Exit codes: 0 done, also if something must change, 1 refused, 2 wrong use, 3 no connection, 130
    interrupted.
    """
    found = wanted.plan(kafka.cluster(), allow_repartition=allow_repartition)
    _show(found, as_json=as_json)
    _require_safe(found)
    if out is not None:
        _write(out, found)
        warn(f"the plan is in {out}; apply it with auth-events topics apply {out}")


@topics.add(
    "apply",
    "Create topics, and change those that differ.",
    f"auth-events topics apply topics.plan -b {_KAFKA}",
)
def apply(
    file: Path | None = Argument(None, metavar="[FILE]", help="A plan that topics plan --out wrote."),
    *,
    kafka: KafkaOptions,
    wanted: WantedOptions,
    allow_repartition: bool = _REPARTITION,
    yes: bool = YES,
    as_json: bool = AS_JSON,
) -> None:
    """Create the contract's topics, and change those that are not as wanted. No topic is ever deleted.

    Without FILE it shows the plan and asks for confirmation. A plan in a FILE is applied without a question,
    but only to its cluster, and only if no other change was made to the topics since. What was interrupted
    can be repeated.

    Exit codes: 0 done, or nothing to do, 1 refused or not confirmed, 2 wrong use, 3 no connection, 130
    interrupted.
    """
    from immersiverse.auth.events.admin.topic_setup import changes

    if file and (wanted.settings or wanted.single_topic or allow_repartition):
        given = "--settings, --single-topic and --allow-repartition"
        raise CommandFailed(f"{given} are for making a plan: {file} is one", WRONG_USE)
    cluster = kafka.cluster()
    found = _saved(file, cluster) if file else wanted.plan(cluster, allow_repartition=allow_repartition)
    _show(found, as_json=as_json)
    _require_safe(found)
    if not found.pending:
        warn("nothing to do")
        return
    if not (yes or file):
        require_yes(f"Change {len(found.pending)} topics?")
        if wanted.plan(cluster, allow_repartition=allow_repartition) != found:
            raise CommandFailed("topics or groups changed while you were asked; run it again", VERDICT)
    changes.apply(cluster, found, lambda step: warn(str(step)))
    warn("the topics are as wanted")


@topics.add("check", "Fail if a topic is missing or differs.", f"auth-events topics check -b {_KAFKA}")
def check(*, kafka: KafkaOptions, wanted: WantedOptions, as_json: bool = AS_JSON) -> None:
    """Compare the contract's topics with what is wanted, for CI and cron. Changes nothing.

    Exit codes: 0 all are as wanted, 1 a topic is missing or differs, 2 wrong use, 3 no connection, 130
    interrupted.
    """
    found = wanted.plan(kafka.cluster(), allow_repartition=False)
    _show(found, as_json=as_json)
    if found.pending:
        names = ", ".join(change.topic for change in found.pending)
        warn(f"not as wanted: {names}; see auth-events topics plan")
        raise typer.Exit(VERDICT)


@topics.add(
    "advise",
    "Say how many partitions a load needs.",
    "auth-events topics advise --users 1000000 --events-per-s 5000",
)
def advise(
    *,
    users: int = Option(..., "--users", metavar="N", min=1, help="Active users; their ids are the keys."),
    events_per_s: float = Option(
        ..., "--events-per-s", metavar="N", min=0.001, help="Events a second on the topic, at its peak."
    ),
    per_consumer: float = Option(
        1_000.0,
        "--per-consumer",
        metavar="N",
        min=0.001,
        help="Events a second that one consumer process handles: measure yours.",
    ),
    headroom: float = Option(
        3.0, "--headroom", metavar="FACTOR", min=1.0, help="To catch up after an outage, and to grow."
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Say how many partitions a topic needs, with the arithmetic. Needs no cluster.

    More partitions later move users to other ones, so the number should last for years.

    Exit codes: 0 done, 1 no number of partitions is enough, 2 wrong use, 130 interrupted.
    """
    from immersiverse.auth.events.admin.topic_setup import partitions
    from immersiverse.auth.events.cli.views import topics as view

    load = partitions.TopicLoad(users, events_per_s, headroom, per_consumer)
    advice = partitions.advise(load)
    if as_json:
        write_json(view.advice_document(load, advice))
    else:
        for line in view.advice_lines(load, advice):
            print(line)
    if not advice.enough:
        raise typer.Exit(VERDICT)


def _show(found: TopicPlan, *, as_json: bool) -> None:
    from immersiverse.auth.events.cli.views import topics as view

    if as_json:
        write_json(view.plan_document(found))
    else:
        console().print(view.plan_text(found), soft_wrap=True)


def _require_safe(found: TopicPlan) -> None:
    if found.refusals:
        which = f"{len(found.refusals)} of the changes are refused"
        raise CommandFailed(f"{which}, so nothing is changed", VERDICT)


def _write(file: Path, found: TopicPlan) -> None:
    from immersiverse.auth.events.admin.topic_setup import plan_file

    try:
        file.write_bytes(plan_file.encode(found))
    except OSError as error:
        raise CommandFailed(f"cannot write {file}: {error.strerror}", WRONG_USE) from error


def _saved(file: Path, cluster: Cluster) -> TopicPlan:
    from immersiverse.auth.events.admin.topic_setup import changes, plan_file

    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"cannot read {file}: {error.strerror}", WRONG_USE) from error
    saved = plan_file.decode(content, str(file))
    state = changes.read_state(cluster, saved.wanted)
    plan_file.require_unchanged(saved, state)
    return changes.make_plan(cluster, saved.wanted, allow_repartition=saved.allow_repartition, state=state)
