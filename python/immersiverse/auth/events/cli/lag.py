"""auth-events lag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.kafka_options import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.output import console, warn, write_json

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.lag import Lag

Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group", "-g", metavar="GROUP", help="Only this group; repeat it. All that read events if none."
    ),
]
Topics = Annotated[
    list[str] | None, typer.Option("--topic", "-t", metavar="TOPIC", help="Only this topic; repeat it.")
]
Watch = Annotated[bool, typer.Option("--watch", help="Look again and again, until stopped.")]
Interval = Annotated[
    float, typer.Option("--interval", metavar="SECONDS", min=0.1, help="How long between two looks.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON; watching, a line a look.")]


def lag(
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    group: Groups = None,
    topic: Topics = None,
    watch: Watch = False,
    interval: Interval = 2.0,
    as_json: AsJson = False,
) -> None:
    """Show how far consumer groups are behind, partition by partition.

    Offsets count all that was written, so an idle group may seem a little behind where transactions ended.
    Watching goes on while Kafka does not answer, and says so.

    Exit codes: 0 shown, 1 there is no such group or topic, 2 wrong use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.cli import lag_view as view
    from immersiverse.auth.events.cli import lag_watch
    from immersiverse.auth.events.operations.lag import measure

    cluster = connected_cluster(bootstrap_servers, config, config_file)
    topics = _topics(cluster, topic, group)

    def look() -> Sequence[Lag]:
        return measure(cluster, group or (), topics)

    if watch:
        lag_watch.watch(look, interval, as_json=as_json)
    elif as_json:
        write_json([view.document(row) for row in look()])
    elif rows := look():
        console().print(view.table(rows))
    else:
        warn(view.NOTHING)


def _topics(cluster: Cluster, named: list[str] | None, groups: list[str] | None) -> Collection[str] | None:
    """Those that are named, which must exist; else the contract's, or all that named groups read."""
    from immersiverse.auth.events import catalog
    from immersiverse.auth.events.operations.partitions import partitions_of

    if named:
        return {partition.topic for partition in partitions_of(cluster, named)}
    return None if groups else (*catalog.TOPICS, catalog.SINGLE_TOPIC, catalog.DEAD_LETTER_TOPIC)
