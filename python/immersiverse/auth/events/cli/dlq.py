"""auth-events dlq."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.failures import VERDICT, WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.group import new_group
from immersiverse.auth.events.cli.kafka_options import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.letter_filter_options import (
    DeadLetterTopic,
    ErrorPart,
    OriginalTopic,
    Since,
    Until,
    User,
    dead_letter_topic,
    letter_filter,
)
from immersiverse.auth.events.cli.output import console, progress_bar, warn, write_json, write_lines
from immersiverse.auth.events.cli.registry_options import RegistrySettings, RegistryUrl, writer_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.operations.redrive import Fate
    from immersiverse.auth.events.operations.redriving import Outcome

dlq = new_group("Dead letters: what consumers could not process.")


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
    error: ErrorPart = "",
    user: User = "",
    since: Since = None,
    until: Until = None,
    dlq_topic: DeadLetterTopic = "",
    all_: Annotated[bool, typer.Option("--all", help="Those that were sent back already, too.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Only the newest.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the dead letters that wait, oldest first: where each came from and why it is here."""
    from immersiverse.auth.events.cli import letter_view as view
    from immersiverse.auth.events.operations.mailbox import Mailbox
    from immersiverse.auth.events.operations.newest import Newest

    wanted = letter_filter(topic, error, user, since, until)
    mailbox = Mailbox(connected_cluster(bootstrap_servers, config, config_file), dead_letter_topic(dlq_topic))
    done = frozenset() if all_ else mailbox.redriven()
    found = Newest(limit)
    for letter in mailbox.letters():
        if letter.id not in done and wanted.accepts(letter):
            found.add(letter)
    letters = found.oldest_first()
    if as_json:
        write_json([view.facts(letter) for letter in letters])
        return
    console().print(view.table(letters))
    warn(f"{found.seen} letters" + (f", the newest {limit} shown" if found.seen > limit else ""))


@dlq.command(
    short_help="Show one dead letter.",
    epilog="Example: auth-events dlq show -b localhost:9092 auth.events.dlq-0-12",
)
def show(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="The letter: its partition and offset, such as 0-12.")
    ],
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
    dlq_topic: DeadLetterTopic = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show all about one dead letter: the event if it can be read, its bytes, the error, where it arose."""
    from immersiverse.auth.events.cli import letter_view as view
    from immersiverse.auth.events.operations.dead_letters import LetterId
    from immersiverse.auth.events.operations.mailbox import Mailbox
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

    found = LetterId.parse(name)
    if found is None:
        raise CommandFailed(f"{name!r} names no letter: give PARTITION-OFFSET, such as 0-12", WRONG_USE)
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    letter = Mailbox(cluster, dead_letter_topic(dlq_topic)).letter(found)
    with writer_schemas(registry, registry_config) as schemas:
        deserializer = AuthEventDeserializer(schemas)
        if as_json:
            write_json(view.whole(letter, deserializer))
        else:
            write_lines(line.encode() for line in view.lines(letter, deserializer))


@dlq.command(
    short_help="Send dead letters back to where they came from.",
    epilog="Example: auth-events dlq redrive -b localhost:9092 --topic auth.events.login --rate 50 --dry-run",
)
def redrive(
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    topic: OriginalTopic = "",
    error: ErrorPart = "",
    user: User = "",
    since: Since = None,
    until: Until = None,
    dlq_topic: DeadLetterTopic = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")
    ] = False,
    rate: Annotated[
        float | None, typer.Option("--rate", metavar="N", min=0.01, help="At most so many a second.")
    ] = None,
    max_rounds: Annotated[
        int,
        typer.Option("--max-rounds", metavar="N", min=1, help="Leave letters that were sent back so often."),
    ] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Only the figures, as JSON.")] = False,
) -> None:
    """Send dead letters back to their topics, with their key, value and headers.

    Each is sent once, however often this runs and whatever the filters: one that a filter leaves out waits
    for another run. One that fails again comes back as a new letter, and a header counts how often it went.
    """
    from immersiverse.auth.events.operations import redriving
    from immersiverse.auth.events.operations.redrive import Redrive

    plan = Redrive(letter_filter(topic, error, user, since, until), max_rounds)
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    letters = dead_letter_topic(dlq_topic)
    outcomes = (
        redriving.survey(cluster, letters, plan)
        if dry_run
        else redriving.carry_out(cluster, letters, plan, rate=rate)
    )
    _count(outcomes, dry_run=dry_run, as_json=as_json)


def _count(outcomes: Iterator[Outcome], *, dry_run: bool, as_json: bool) -> None:
    from immersiverse.auth.events.operations.redrive import Fate

    tally: Counter[Fate] = Counter()
    verb = "would be sent" if dry_run else "sent"
    try:
        with progress_bar("to send" if dry_run else "sent", silent=as_json) as show:
            for outcome in outcomes:
                tally[outcome.fate] += 1
                show(tally[Fate.REDRIVE])
                if outcome.fate is Fate.FAILED:
                    warn(f"letter {outcome.letter.id}: {outcome.reason}")
    except BaseException:
        if tally:  # what was done before it failed is done
            warn(_sentence(tally, verb))
        raise
    if as_json:
        write_json({fate.value: tally[fate] for fate in Fate})
    else:
        warn(_sentence(tally, verb))
    if tally[Fate.FAILED]:
        raise typer.Exit(VERDICT)


def _sentence(tally: Counter[Fate], verb: str) -> str:
    from immersiverse.auth.events.operations.redrive import Fate

    parts = {
        Fate.REDRIVE: f"{verb} back",
        Fate.DONE: "sent back before",
        Fate.FILTERED: "left out by the filter",
        Fate.WORN_OUT: "sent back too often already",
        Fate.HOMELESS: "without a topic to go to",
        Fate.FAILED: "not taken by their topic",
    }
    told = (f"{tally[fate]} {words}" for fate, words in parts.items() if tally[fate] or fate is Fate.REDRIVE)
    return f"dead letters: {', '.join(told)}"
