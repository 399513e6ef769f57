"""auth-events publish."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import typer

from immersiverse.auth.events.cli import publish_options as options  # noqa: TC001 - typer reads annotations
from immersiverse.auth.events.cli.choices import EventFormat
from immersiverse.auth.events.cli.failures import NO_CONNECTION, VERDICT
from immersiverse.auth.events.cli.json_events import read_event
from immersiverse.auth.events.cli.kafka_options import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.lines import STANDARD_INPUT, InputFile, numbered_lines
from immersiverse.auth.events.cli.registry_options import (
    RegistrySettings,  # noqa: TC001 - typer reads annotations
    RegistryUrl,  # noqa: TC001 - typer reads annotations
)
from immersiverse.auth.events.cli.schema_ids import PinnedId, schema_ids
from immersiverse.auth.events.errors import DecodeError, InvalidEvent, PublishError, UndeliveredEvents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.cli.publish_tally import PublishTally
    from immersiverse.auth.events.cli.versions import Versions
    from immersiverse.auth.events.kafka.producer.publisher import Publisher

_LOOK = 0.2  # seconds between looks at how far it is, at the end


def publish(
    file: InputFile = STANDARD_INPUT,
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
    schema_id: PinnedId = None,
    format: options.Format = EventFormat.PROTOBUF,  # noqa: A002 - the option's name
    single_topic: options.SingleTopic = False,
    assign_versions: options.AssignVersions = False,
    as_json: options.AsJson = False,
) -> None:
    """Publish events in JSON, one a line, to Kafka.

    Takes the specification's minimal messages and full ones, and holds them to the contract. An event without
    an id gets one that follows from its line, so that publishing a file again repeats ids and not events.
    Lines that are not published are named, with the reason.

    Exit codes: 0 all lines are published, 1 some are not, 2 wrong use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.cli.publish_tally import PublishTally
    from immersiverse.auth.events.cli.versions import Versions
    from immersiverse.auth.events.kafka.producer.publisher import Publisher
    from immersiverse.auth.events.operations.partitions import existing_topics
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

    cluster = connected_cluster(bootstrap_servers, config, config_file)
    with schema_ids(format, schema_id, registry, registry_config) as ids:
        lines = numbered_lines(file)
        existing_topics(cluster)  # a wrong address is told now, and not when the first delivery times out
        serializer = AuthEventSerializer(ids, format=format.value, single_topic=single_topic)
        tally, versions = PublishTally(as_json=as_json), Versions() if assign_versions else None
        _publish_all(lines, Publisher(cluster.settings, serializer=serializer), tally, versions)
    if tally.outage or tally.bad:
        raise typer.Exit(NO_CONNECTION if tally.outage else VERDICT)


def _publish_all(
    lines: Iterator[tuple[int, bytes]], publisher: Publisher, tally: PublishTally, versions: Versions | None
) -> None:
    try:
        with tally.shown():
            try:
                _publish_lines(lines, publisher, tally, versions)
            except KeyboardInterrupt:
                tally.interrupted()
                raise
            finally:
                _wait(publisher, tally)
    finally:  # what was published before it ended is published
        with suppress(UndeliveredEvents):  # the tally has named each
            publisher.close(0)
        tally.conclude()


def _publish_lines(
    lines: Iterator[tuple[int, bytes]], publisher: Publisher, tally: PublishTally, versions: Versions | None
) -> None:
    for number, line in lines:
        if tally.outage:
            tally.stopped_before(number)
            return
        try:
            event = read_event(line)
            if versions:
                versions.give(event)
            publisher.send(event, on_done=partial(tally.settle, number))
        except (DecodeError, InvalidEvent, PublishError) as error:
            tally.refuse(number, error)
        else:
            tally.sent(number)


def _wait(publisher: Publisher, tally: PublishTally) -> None:
    """Until the fate of every event is known; an interrupt ends the wait."""
    while tally.waiting:
        with suppress(UndeliveredEvents):  # the tally hears of each
            publisher.flush(_LOOK)
        tally.show()
