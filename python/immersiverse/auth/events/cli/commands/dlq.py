"""auth-events dlq."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer
from typer import Argument, Option

from immersiverse.auth.events.cli.commands import CommandGroup
from immersiverse.auth.events.cli.options import AS_JSON, DRY_RUN, YES
from immersiverse.auth.events.cli.options.kafka import KafkaOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.options.registry import RegistryOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.options.time import TIME_HELP, milliseconds_of
from immersiverse.auth.events.cli.output import (
    VERDICT,
    WRONG_USE,
    CommandFailed,
    console,
    progress,
    require_yes,
    stdin_is_tty,
    warn,
    write_json,
    write_lines,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterFilter
    from immersiverse.auth.events.admin.dead_letters.redrive import RedriveCounts, RedrivePlan, RedriveResult
    from immersiverse.auth.events.admin.dead_letters.topic import OnRead

_READ = "messages of the dead letter topic read"

_SOURCE_TOPIC: str | None = Option(
    None, "--dlq-topic", metavar="TOPIC", help="The dead letter topic. Default: the contract's."
)

dlq = CommandGroup("Dead letters: messages that consumers could not process.")


@dataclass(frozen=True, slots=True)
class DeadLetterOptions:
    """Which dead letters."""

    topic: str = Option(
        "", "--topic", "-t", metavar="TOPIC", help="Only dead letters that came from this topic."
    )
    error: str = Option(
        "", "--error", metavar="TEXT", help="Only those with this text in the error's class or message."
    )
    user: str = Option("", "--user", metavar="ID", help="Only those of this user.")
    group: str = Option(
        "", "--group", "-g", metavar="GROUP", help="Only those that this group could not process."
    )
    since: str | None = Option(
        None, "--since", metavar="TIME", help=f"Only those written since this time, {TIME_HELP}."
    )
    until: str | None = Option(None, "--until", metavar="TIME", help="Only those written before this time.")
    dlq_topic: str | None = _SOURCE_TOPIC

    def filter(self) -> DeadLetterFilter:
        """What accepts them."""
        from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterFilter

        since, until = (None if time is None else milliseconds_of(time) for time in (self.since, self.until))
        return DeadLetterFilter(self.topic, self.error, self.user, self.group, since, until)


def _source(topic: str | None) -> str:
    from immersiverse.auth.events import catalog

    return topic or catalog.DEAD_LETTER_TOPIC


@dlq.add("list", "List dead letters.", "auth-events dlq list -b localhost:9092 --error Timeout --since 2h")
def list_(
    *,
    kafka: KafkaOptions,
    which: DeadLetterOptions,
    all_: bool = Option(False, "--all", help="Also those that were redriven already."),
    limit: int = Option(50, "--limit", metavar="N", min=1, help="Only so many of the newest."),
    as_json: bool = AS_JSON,
) -> None:
    """List dead letters that were not redriven, oldest first: where each came from, and its error.

    Exit codes: 0 done, 1 no such topic, 2 wrong use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.admin.dead_letters.topic import DeadLetterTopic, newest
    from immersiverse.auth.events.cli.views import dead_letters as view

    wanted = which.filter()
    cluster = kafka.cluster()
    with progress(_READ, silent=as_json) as show:
        source = DeadLetterTopic(cluster, _source(which.dlq_topic), since=wanted.since, on_read=_read(show))
        every = source.dead_letters(() if all_ else source.redriven())
        found, total = newest((each for each in every if wanted.accepts(each)), limit)
    if as_json:
        write_json([view.facts(dead_letter) for dead_letter in found])
        return
    if found:
        screen = console()
        screen.print(view.drawn(found, screen.width))
    warn(f"{total} dead letters" + (f", the newest {limit} shown" if total > limit else ""))


@dlq.add("show", "Show one dead letter.", "auth-events dlq show -b localhost:9092 auth.events.dlq-0-12")
def show(
    name: str = Argument(
        ...,
        metavar="ID",
        show_default=False,
        help="Partition and offset in the dead letter topic, such as 0-12.",
    ),
    *,
    kafka: KafkaOptions,
    registry: RegistryOptions,
    dlq_topic: str | None = _SOURCE_TOPIC,
    as_json: bool = AS_JSON,
) -> None:
    """Show one dead letter completely: the event if it can be decoded, its bytes, the error and stack trace.

    Exit codes: 0 done, 1 no such dead letter, 2 wrong use, 3 no connection.
    """
    from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterId
    from immersiverse.auth.events.admin.dead_letters.topic import DeadLetterTopic
    from immersiverse.auth.events.cli.views import dead_letters as view
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

    wanted = DeadLetterId.parse(name)
    if wanted is None:
        raise CommandFailed(f"invalid id {name!r}: use PARTITION-OFFSET, such as 0-12", WRONG_USE)
    found = DeadLetterTopic(kafka.cluster(), _source(dlq_topic)).dead_letter(wanted)
    with registry.writer_schemas() as schemas:
        deserializer = AuthEventDeserializer(schemas)
        if as_json:
            write_json(view.whole(found, deserializer))
        else:
            write_lines(line.encode() for line in view.lines(found, deserializer))


@dlq.add(
    "redrive",
    "Send dead letters back to their topics.",
    "auth-events dlq redrive -b localhost:9092 --topic auth.events.login --rate 50 --dry-run",
)
def redrive(
    *,
    kafka: KafkaOptions,
    which: DeadLetterOptions,
    dry_run: bool = DRY_RUN,
    rate: float | None = Option(
        None, "--rate", metavar="N", min=0.01, help="Send at most so many per second."
    ),
    max_redrives: int = Option(
        3, "--max-redrives", metavar="N", min=1, help="Leave those that were redriven so often."
    ),
    allow_topic: list[str] | None = Option(
        None,
        "--allow-topic",
        metavar="TOPIC",
        help="Also send to this topic, besides the contract's; may be repeated.",
    ),
    all_groups: bool = Option(
        False, "--all-groups", help="To every consumer group, not only to the one that could not process it."
    ),
    yes: bool = YES,
    as_json: bool = Option(False, "--json", help="Only the counts, as JSON."),
) -> None:
    """Send dead letters back to the topics that they came from, with their key, value and headers.

    Each is sent once, however often this runs and with whatever filters; what a filter leaves out can be
    sent by a later run. Subscribers of other groups than the one that could not process a message pass it by,
    unless --all-groups is given; other clients handle it again. A message that fails again becomes a new dead
    letter, and a header counts its redrives. Only topics of the contract and of --allow-topic are written to,
    whatever the headers of a dead letter say. Stubs, whose value was too large for the dead letter topic,
    stay. At a terminal, shows what would be sent and asks for confirmation.

    Exit codes: 0 done, 1 refused (no such topic, another redrive is running, a topic refused a message, or
    not confirmed), 2 wrong use, 3 no connection, 130 interrupted. Whatever was sent until then is recorded.
    """
    from immersiverse.auth.events.admin.dead_letters.redrive import RedrivePlan

    plan = RedrivePlan(which.filter(), max_redrives, tuple(allow_topic or ()), all_groups)
    cluster, source = kafka.cluster(), _source(which.dlq_topic)
    if dry_run:
        _preview(cluster, source, plan, as_json=as_json)
        return
    if not yes and stdin_is_tty():
        _confirm(cluster, source, plan, as_json=as_json)
    _redrive(cluster, source, plan, rate=rate, as_json=as_json)


def _preview(cluster: Cluster, topic: str, plan: RedrivePlan, *, as_json: bool) -> RedriveCounts:
    from immersiverse.auth.events.admin.dead_letters.redrive import RedriveCounts, preview
    from immersiverse.auth.events.cli.views import dead_letters as view

    counts = RedriveCounts()
    with progress(_READ, silent=as_json) as show:
        for _ in _reported(preview(cluster, topic, plan, on_read=_read(show)), counts):
            pass
    view.report(counts, "would be sent", as_json=as_json)
    return counts


def _confirm(cluster: Cluster, topic: str, plan: RedrivePlan, *, as_json: bool) -> None:
    """Show what would be sent, and return if there is something to send and the answer is yes."""
    from immersiverse.auth.events.cli.views import dead_letters as view

    counts = _preview(cluster, topic, plan, as_json=False)
    if not counts.topics:
        if as_json:
            view.report(counts, "sent", as_json=True)
        raise typer.Exit
    where = ", ".join(f"{name} ({number})" for name, number in sorted(counts.topics.items()))
    groups = "every group" if plan.all_groups else ", ".join(sorted(counts.groups))
    require_yes(f"Send them back to {where}, for {groups}?")


def _redrive(cluster: Cluster, topic: str, plan: RedrivePlan, *, rate: float | None, as_json: bool) -> None:
    from immersiverse.auth.events.admin.dead_letters.redrive import (
        RateLimit,
        RedriveCounts,
        RedriveStatus,
        redrive,
    )
    from immersiverse.auth.events.cli.views import dead_letters as view

    counts = RedriveCounts()
    try:
        with progress(_READ, silent=as_json) as show:
            results = redrive(cluster, topic, plan, rate_limit=RateLimit(rate), on_read=_read(show))
            for _ in _reported(results, counts):
                show(counts.statuses[RedriveStatus.REDRIVE], "sent back")
    except BaseException:
        if counts.statuses:  # also if it is interrupted, what was sent is sent
            warn(f"{view.sentence(counts, 'sent')}; the others are unchanged")
        raise
    view.report(counts, "sent", as_json=as_json)
    if counts.statuses[RedriveStatus.FAILED]:
        raise typer.Exit(VERDICT)


def _read(show: Callable[..., None]) -> OnRead:
    return lambda messages, total: show(messages, f"of {total:,} {_READ}")


def _reported(results: Iterator[RedriveResult], counts: RedriveCounts) -> Iterator[RedriveResult]:
    """Count results, and warn about the first that stay without having been sent, and about all that fail."""
    from immersiverse.auth.events.cli.views import dead_letters as view

    for result in results:
        counts.add(result)
        if view.is_reported(result, counts):
            warn(f"dead letter {result.dead_letter.id}: {result.reason}")
        yield result
