"""auth-events tail."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.choices import PersonalDataClass  # noqa: TC001 - typer reads annotations
from immersiverse.auth.events.cli.failures import VERDICT, WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.kafka_options import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.moments import MOMENT_HELP, milliseconds_of
from immersiverse.auth.events.cli.output import warn, write_line
from immersiverse.auth.events.cli.registry_options import RegistrySettings, RegistryUrl, writer_schemas
from immersiverse.auth.events.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Message

    from immersiverse.auth.events.cli.record_view import RecordView
    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.tail import EventFilter, Start
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

_BEGINNING, _END = "beginning", "end"


def tail(
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(
            "--topic", "-t", metavar="TOPIC", help="Only this one; repeat it. The contract's if none."
        ),
    ] = None,
    type: Annotated[  # noqa: A002 - the option's name
        list[str] | None, typer.Option("--type", metavar="EVENT", help="Only events of this type; repeat it.")
    ] = None,
    user: Annotated[
        str, typer.Option("--user", metavar="ID", help="Only this user's, by user id or message key.")
    ] = "",
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="beginning|end|TIME",
            help=f"Where to begin; a time is {MOMENT_HELP}. The end if following, else the beginning.",
        ),
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Wait for more, or end with what is there.")
    ] = True,
    count: Annotated[
        int | None, typer.Option("--count", "-n", metavar="N", min=1, help="End after this many events.")
    ] = None,
    redact: Annotated[
        PersonalDataClass | None,
        typer.Option("--redact", help="Withhold personal data of this class and more sensitive ones."),
    ] = None,
    headers: Annotated[
        bool, typer.Option("--headers", help="Where each came from, its key and headers, too.")
    ] = False,
) -> None:
    """Show events as they arrive, one JSON object a line.

    No consumer group is joined and nothing is committed, so nobody else misses anything. Each partition's
    events come in order, those of several as they arrive. What cannot be read is named on standard error.
    """
    from immersiverse.auth.events.cli.record_view import RecordView
    from immersiverse.auth.events.operations.tail import EventFilter
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

    view = RecordView(redact.value if redact else "", with_headers=headers)
    wanted = EventFilter(frozenset(_type_name(name) for name in type or ()), user)
    begin = _start(start or (_END if follow else _BEGINNING))
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    with writer_schemas(registry, registry_config) as schemas:
        shown = _Shown(AuthEventDeserializer(schemas), wanted, view)
        lines = shown.lines(_messages(cluster, topic, begin, follow=follow))
        for line in islice(lines, count):
            write_line(line)
    if shown.unreadable and not follow:
        raise typer.Exit(VERDICT)


@dataclass(slots=True)
class _Shown:
    """Turns messages into the lines that are wanted."""

    deserializer: AuthEventDeserializer
    wanted: EventFilter
    view: RecordView
    unreadable: int = 0

    def lines(self, messages: Iterator[Message]) -> Iterator[bytes]:
        for message in messages:
            try:
                event, _ = self.deserializer.read(message)
            except DecodeError as error:
                self.unreadable += 1
                warn(self.view.unreadable(message, error))
                continue
            if self.wanted.accepts(event, message.key()):
                yield self.view.line(message, event)


def _messages(cluster: Cluster, topics: list[str] | None, start: Start, *, follow: bool) -> Iterator[Message]:
    from immersiverse.auth.events.operations.partitions import Extent, extents, partitions_of
    from immersiverse.auth.events.operations.reading import read_on, read_to_end
    from immersiverse.auth.events.operations.tail import starts

    there = extents(cluster, partitions_of(cluster, topics or _contract_topics(cluster)))
    begin = starts(cluster, there, start)
    if follow:
        yield from (message for message in read_on(cluster, begin) if message is not None)
    else:
        yield from read_to_end(cluster, {p: Extent(first, there[p].end) for p, first in begin.items()})


def _contract_topics(cluster: Cluster) -> list[str]:
    """The contract's topics that exist: not every cluster has those of both routing modes."""
    from immersiverse.auth.events import catalog
    from immersiverse.auth.events.operations.partitions import existing_topics

    there = existing_topics(cluster)
    found = [topic for topic in (*catalog.TOPICS, catalog.SINGLE_TOPIC) if topic in there]
    if not found:
        raise CommandFailed("none of the contract's topics exists here; name one with --topic", VERDICT)
    return found


def _start(text: str) -> Start:
    from immersiverse.auth.events.operations.replay import ToBeginning, ToEnd, ToTimestamp

    if text == _BEGINNING:
        return ToBeginning()
    return ToEnd() if text == _END else ToTimestamp(milliseconds_of(text))


def _type_name(name: str) -> str:
    from immersiverse.auth.events.catalog import EVENT_TYPES

    known = next((known for known in EVENT_TYPES if known.lower() == name.lower()), None)
    if known is None:
        raise CommandFailed(f"there is no event {name!r}; auth-events catalog lists all", WRONG_USE)
    return known
