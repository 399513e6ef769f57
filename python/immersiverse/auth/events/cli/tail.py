"""auth-events tail."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import typer

from immersiverse.auth.events.cli import tail_options as options
from immersiverse.auth.events.cli.failures import BROKEN_PIPE, VERDICT, CommandFailed
from immersiverse.auth.events.cli.kafka_options import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.output import forget_output, warn, write_line
from immersiverse.auth.events.cli.readers import nobody_reads
from immersiverse.auth.events.cli.registry_options import RegistrySettings, RegistryUrl, writer_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka import Message

    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.partitions import Extent, Partition
    from immersiverse.auth.events.operations.tail import Start


def tail(
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
    topic: options.Topics = None,
    type: options.Types = None,  # noqa: A002 - the option's name
    user: options.User = "",
    start: options.From = "",
    follow: options.Follow = True,
    count: options.Count = None,
    redact: options.Redact = None,
    headers: options.Headers = False,
) -> None:
    """Show events as they arrive, one JSON object a line.

    No consumer group is joined and nothing is committed, so nobody else misses anything. Each partition's
    events come in order, those of several as they arrive. What cannot be read is named on standard error.

    Exit codes: 0 all was shown, 1 no such topic, or --no-follow met what cannot be read, 2 wrong use,
    3 no connection, 130 interrupted, 141 nobody reads the output any more.
    """
    from immersiverse.auth.events.cli.record_view import RecordView
    from immersiverse.auth.events.cli.tail_view import Shown
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

    view = RecordView(redact.value if redact else "", with_headers=headers)
    wanted, begin = options.event_filter(type, user), options.start_of(start, follow=follow)
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    with writer_schemas(registry, registry_config) as schemas:
        shown = Shown(AuthEventDeserializer(schemas), wanted, view, registry=schemas is not None)
        try:
            for line in islice(shown.lines(_messages(cluster, topic, begin, follow=follow)), count):
                write_line(line)
        finally:
            shown.conclude()
    if shown.unreadable and not follow:
        raise typer.Exit(VERDICT)


def _messages(cluster: Cluster, topics: list[str] | None, start: Start, *, follow: bool) -> Iterator[Message]:
    from immersiverse.auth.events.operations.partitions import Extent, extents, partitions_of
    from immersiverse.auth.events.operations.reading import read_to_end
    from immersiverse.auth.events.operations.tail import starts

    there: Mapping[Partition, Extent] = extents(
        cluster, partitions_of(cluster, topics or _contract_topics(cluster))
    )
    begin = starts(cluster, there, start)
    if follow:
        return _followed(cluster, begin)
    return read_to_end(cluster, {p: Extent(first, there[p].end) for p, first in begin.items()})


def _followed(cluster: Cluster, begin: Mapping[Partition, int]) -> Iterator[Message]:
    from immersiverse.auth.events.operations.reading import read_on

    for message in read_on(cluster, begin, on_outage=warn):
        if message is not None:
            yield message
        elif nobody_reads():  # or `| head` would have to wait for the next event to end
            forget_output()
            raise typer.Exit(BROKEN_PIPE)


def _contract_topics(cluster: Cluster) -> list[str]:
    """The contract's topics that exist: not every cluster has those of both routing modes."""
    from immersiverse.auth.events import catalog
    from immersiverse.auth.events.operations.partitions import existing_topics

    there = existing_topics(cluster)
    found = [topic for topic in (*catalog.TOPICS, catalog.SINGLE_TOPIC) if topic in there]
    if not found:
        raise CommandFailed("none of the contract's topics exists here; name one with --topic", VERDICT)
    return found
