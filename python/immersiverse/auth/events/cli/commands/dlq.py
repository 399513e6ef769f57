"""auth-events dlq."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.commands import new_group
from immersiverse.auth.events.cli.options.kafka import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.options.registry import RegistrySettings, RegistryUrl, writer_schemas
from immersiverse.auth.events.cli.options.time import TIME_HELP, milliseconds_of
from immersiverse.auth.events.cli.output import (
    VERDICT,
    WRONG_USE,
    CommandFailed,
    console,
    require_yes,
    stdin_is_tty,
    warn,
    write_json,
    write_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterFilter
    from immersiverse.auth.events.admin.dead_letters.redrive import RedriveCounts, RedrivePlan, RedriveResult

OriginalTopic = Annotated[
    str,
    typer.Option("--topic", "-t", metavar="TOPIC", help="Only dead letters that came from this topic."),
]
ErrorText = Annotated[
    str,
    typer.Option(
        "--error", metavar="TEXT", help="Only those with this text in the error's class or message."
    ),
]
User = Annotated[str, typer.Option("--user", metavar="ID", help="Only those of this user.")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help=f"Only those written since this time, {TIME_HELP}."),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Only those written before this time.")
]
SourceTopic = Annotated[
    str | None,
    typer.Option("--dlq-topic", metavar="TOPIC", help="The dead letter topic. Default: the contract's."),
]
All = Annotated[bool, typer.Option("--all", help="Also those that were redriven already.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Only so many of the newest.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Id = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="Partition and offset in the dead letter topic, such as 0-12.", show_default=False
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")]
Rate = Annotated[
    float | None, typer.Option("--rate", metavar="N", min=0.01, help="Send at most so many per second.")
]
MaxRedrives = Annotated[
    int,
    typer.Option("--max-redrives", metavar="N", min=1, help="Leave those that were redriven so often."),
]
AllowTopics = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-topic",
        metavar="TOPIC",
        help="Also send to this topic, besides the contract's; may be repeated.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
CountsAsJson = Annotated[bool, typer.Option("--json", help="Only the counts, as JSON.")]

dlq = new_group("Dead letters: messages that consumers could not process.")


def _filter(topic: str, error: str, user: str, since: str | None, until: str | None) -> DeadLetterFilter:
    from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterFilter

    begin, end = (None if time is None else milliseconds_of(time) for time in (since, until))
    return DeadLetterFilter(topic, error, user, begin, end)


def _source(topic: str | None) -> str:
    from immersiverse.auth.events import catalog

    return topic or catalog.DEAD_LETTER_TOPIC


@dlq.command(
    "list",
    short_help="List dead letters.",
    epilog="Example: auth-events dlq list -b localhost:9092 --error Timeout --since 2h",
)
def list_(
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    topic: OriginalTopic = "",
    error: ErrorText = "",
    user: User = "",
    since: Since = None,
    until: Until = None,
    dlq_topic: SourceTopic = None,
    all_: All = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List dead letters that were not redriven, oldest first: where each came from, and its error.

    Exit codes: 0 done, 1 no such topic, 2 wrong use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.admin.dead_letters.topic import DeadLetterTopic, newest
    from immersiverse.auth.events.cli.views import dead_letters as view

    wanted = _filter(topic, error, user, since, until)
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    with view.progress(silent=as_json) as progress:
        source = DeadLetterTopic(cluster, _source(dlq_topic), since=wanted.since, on_read=progress.read)
        every = source.dead_letters(() if all_ else source.redriven())
        found, total = newest((each for each in every if wanted.accepts(each)), limit)
    if as_json:
        write_json([view.facts(dead_letter) for dead_letter in found])
        return
    if found:
        screen = console()
        screen.print(view.drawn(found, screen.width))
    warn(f"{total} dead letters" + (f", the newest {limit} shown" if total > limit else ""))


@dlq.command(
    short_help="Show one dead letter.",
    epilog="Example: auth-events dlq show -b localhost:9092 auth.events.dlq-0-12",
)
def show(
    name: Id,
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
    dlq_topic: SourceTopic = None,
    as_json: AsJson = False,
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
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    found = DeadLetterTopic(cluster, _source(dlq_topic)).dead_letter(wanted)
    with writer_schemas(registry, registry_config) as schemas:
        deserializer = AuthEventDeserializer(schemas)
        if as_json:
            write_json(view.whole(found, deserializer))
        else:
            write_lines(line.encode() for line in view.lines(found, deserializer))


@dlq.command(
    short_help="Send dead letters back to their topics.",
    epilog="Example: auth-events dlq redrive -b localhost:9092 --topic auth.events.login --rate 50 --dry-run",
)
def redrive(
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    topic: OriginalTopic = "",
    error: ErrorText = "",
    user: User = "",
    since: Since = None,
    until: Until = None,
    dlq_topic: SourceTopic = None,
    dry_run: DryRun = False,
    rate: Rate = None,
    max_redrives: MaxRedrives = 3,
    allow_topic: AllowTopics = None,
    yes: Yes = False,
    as_json: CountsAsJson = False,
) -> None:
    """Send dead letters back to the topics that they came from, with their key, value and headers.

    Each is sent once, however often this runs and with whatever filters; what a filter leaves out can be
    sent by a later run. A message that fails again becomes a new dead letter, and a header counts its
    redrives. Only topics of the contract and of --allow-topic are written to, whatever the headers of a dead
    letter say. Stubs, whose value was too large for the dead letter topic, stay. At a terminal, shows what
    would be sent and asks for confirmation.

    Exit codes: 0 done, 1 refused (no such topic, another redrive is running, a topic refused a message, or
    not confirmed), 2 wrong use, 3 no connection, 130 interrupted. Whatever was sent until then is recorded.
    """
    from immersiverse.auth.events.admin.dead_letters.redrive import RedrivePlan

    wanted = _filter(topic, error, user, since, until)
    plan = RedrivePlan(wanted, max_redrives, tuple(allow_topic or ()))
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    source = _source(dlq_topic)
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
    with view.progress(silent=as_json) as progress:
        for _ in _reported(preview(cluster, topic, plan, on_read=progress.read), counts):
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
    require_yes(f"Send them back to {where}?")


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
        with view.progress(silent=as_json) as progress:
            results = redrive(cluster, topic, plan, rate_limit=RateLimit(rate), on_read=progress.read)
            for _ in _reported(results, counts):
                progress.sent(counts.statuses[RedriveStatus.REDRIVE])
    except BaseException:
        if counts.statuses:  # also if it is interrupted, what was sent is sent
            warn(f"{view.sentence(counts, 'sent')}; the others are unchanged")
        raise
    view.report(counts, "sent", as_json=as_json)
    if counts.statuses[RedriveStatus.FAILED]:
        raise typer.Exit(VERDICT)


def _reported(results: Iterator[RedriveResult], counts: RedriveCounts) -> Iterator[RedriveResult]:
    """Count results, and warn about the first that stay without having been sent, and about all that fail."""
    from immersiverse.auth.events.cli.views import dead_letters as view

    for result in results:
        counts.add(result)
        if view.is_reported(result, counts):
            warn(f"dead letter {result.dead_letter.id}: {result.reason}")
        yield result
