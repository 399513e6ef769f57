"""auth-events dlq."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.cli import letter_filter_options as letters
from immersiverse.auth.events.cli import letter_redrive_options as redriving
from immersiverse.auth.events.cli.failures import WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.group import new_group
from immersiverse.auth.events.cli.kafka_options import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.letter_progress import letter_progress
from immersiverse.auth.events.cli.output import console, warn, write_json, write_lines
from immersiverse.auth.events.cli.registry_options import RegistrySettings, RegistryUrl, writer_schemas

if TYPE_CHECKING:
    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.letter_filter import LetterFilter
    from immersiverse.auth.events.operations.newest import Newest

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
    topic: letters.OriginalTopic = "",
    error: letters.ErrorPart = "",
    user: letters.User = "",
    since: letters.Since = None,
    until: letters.Until = None,
    dlq_topic: letters.DeadLetterTopic = "",
    all_: letters.All = False,
    limit: letters.Limit = 50,
    as_json: letters.AsJson = False,
) -> None:
    """List the dead letters that wait, oldest first: where each came from and why it is here.

    Exit codes: 0 shown, 1 there is no such topic, 2 wrong use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.cli import letter_view as view

    wanted = letters.letter_filter(topic, error, user, since, until)
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    found = _newest(cluster, letters.dead_letter_topic(dlq_topic), wanted, limit, all_=all_, silent=as_json)
    if as_json:
        write_json([view.facts(letter) for letter in found.oldest_first()])
        return
    if found.seen:
        screen = console()
        screen.print(view.drawn(found.oldest_first(), screen.width))
    warn(f"{found.seen} letters" + (f", the newest {limit} shown" if found.seen > limit else ""))


def _newest(
    cluster: Cluster, topic: str, wanted: LetterFilter, limit: int, *, all_: bool, silent: bool
) -> Newest:
    from immersiverse.auth.events.operations.mailbox import Mailbox
    from immersiverse.auth.events.operations.newest import Newest

    found = Newest(limit)
    with letter_progress(silent=silent) as progress:
        mailbox = Mailbox(cluster, topic, since=wanted.since, on_read=progress.read)
        for letter in mailbox.letters(() if all_ else mailbox.redriven()):
            if wanted.accepts(letter):
                found.add(letter)
    return found


@dlq.command(
    short_help="Show one dead letter.",
    epilog="Example: auth-events dlq show -b localhost:9092 auth.events.dlq-0-12",
)
def show(
    name: letters.Id,
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
    dlq_topic: letters.DeadLetterTopic = "",
    as_json: letters.AsJson = False,
) -> None:
    """Show all about one dead letter: the event if it can be read, its bytes, the error, where it arose.

    Exit codes: 0 shown, 1 there is no such letter, 2 wrong use, 3 no connection.
    """
    from immersiverse.auth.events.cli import letter_view as view
    from immersiverse.auth.events.operations.dead_letters import LetterId
    from immersiverse.auth.events.operations.mailbox import Mailbox
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

    found = LetterId.parse(name)
    if found is None:
        raise CommandFailed(f"{name!r} names no letter: give PARTITION-OFFSET, such as 0-12", WRONG_USE)
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    letter = Mailbox(cluster, letters.dead_letter_topic(dlq_topic)).letter(found)
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
    topic: letters.OriginalTopic = "",
    error: letters.ErrorPart = "",
    user: letters.User = "",
    since: letters.Since = None,
    until: letters.Until = None,
    dlq_topic: letters.DeadLetterTopic = "",
    dry_run: redriving.DryRun = False,
    rate: redriving.Rate = None,
    max_rounds: redriving.MaxRounds = 3,
    allow_topic: redriving.AllowTopics = None,
    yes: redriving.Yes = False,
    as_json: redriving.AsJson = False,
) -> None:
    """Send dead letters back to their topics, with their key, value and headers.

    Each is sent once, however often this runs and whatever the filters: one that a filter leaves out waits
    for another run. One that fails again comes back as a new letter, and a header counts how often it went.
    Letters go to the contract's topics only, and to those that --allow-topic names, whatever their headers
    say. A stub, whose value was too large for the dead letter topic, stays. At a terminal it says what it
    would send, and asks.

    Exit codes: 0 done, 1 refused (no such topic, another redrive runs, a topic does not take a letter, or you
    said no), 2 wrong use, 3 no connection, 130 interrupted. What was sent until then is sent and remembered.
    """
    from immersiverse.auth.events.cli.confirmation import is_somebody_there
    from immersiverse.auth.events.cli.letter_redrive import carry_out, require_agreement, survey
    from immersiverse.auth.events.operations.redrive import Redrive

    wanted = letters.letter_filter(topic, error, user, since, until)
    plan = Redrive(wanted, max_rounds, tuple(allow_topic or ()))
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    source = letters.dead_letter_topic(dlq_topic)
    if dry_run:
        survey(cluster, source, plan, as_json=as_json)
        return
    if not yes and is_somebody_there():
        require_agreement(cluster, source, plan, as_json=as_json)
    carry_out(cluster, source, plan, rate=rate, as_json=as_json)
