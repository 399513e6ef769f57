"""auth-events lag."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.options.kafka import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.output import console, warn, write_json
from immersiverse.auth.events.errors import AuthEventsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from immersiverse.auth.events.admin.lag import PartitionLag

    Measure = Callable[[], Sequence[PartitionLag]]
    Show = Callable[[Sequence[PartitionLag], str], None]

Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group",
        "-g",
        metavar="GROUP",
        help="Only this group; may be repeated. Default: all that read the contract's topics.",
    ),
]
Topics = Annotated[
    list[str] | None,
    typer.Option("--topic", "-t", metavar="TOPIC", help="Only this topic; may be repeated."),
]
Watch = Annotated[bool, typer.Option("--watch", help="Repeat until interrupted.")]
Interval = Annotated[
    float, typer.Option("--interval", metavar="SECONDS", min=0.1, help="The pause between two measurements.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON; with --watch, one line per measurement.")]


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
    """Show the lag of consumer groups, by partition.

    Offsets also count transaction markers, so an idle group may seem to be a little behind. With --watch,
    an outage of Kafka is reported and the last measurement stays.

    Exit codes: 0 done, 1 no such group or topic, 2 wrong use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.admin.lag import measure, watched_topics
    from immersiverse.auth.events.cli.views import lag as view

    cluster = connected_cluster(bootstrap_servers, config, config_file)
    topics = watched_topics(cluster, topic or (), group or ())

    def measured() -> Sequence[PartitionLag]:
        return measure(cluster, group or (), topics)

    if watch:
        repeat(measured, interval, as_json=as_json)
    elif as_json:
        write_json([view.document(row) for row in measured()])
    elif rows := measured():
        console().print(view.table(rows))
    else:
        warn(view.NOTHING)


def repeat(measured: Measure, interval: float, *, as_json: bool) -> None:
    """Measure and show again and again, until interrupted.

    Args:
        measured: measures. The first must succeed; later, a retryable failure keeps the last result.
        interval: seconds between two measurements.
        as_json: whether to write a line of JSON each time.

    Raises:
        AuthEventsError: a measurement failed in a way that a retry will not cure.
    """
    from immersiverse.auth.events.cli.views import lag as view

    screen, first = console(), measured()
    if as_json:
        _repeat(measured, _or_warning(view.write), interval, first)
    elif screen.is_terminal and not screen.is_dumb_terminal:
        with view.live(screen) as show:
            _repeat(measured, show, interval, first)
    else:
        _repeat(measured, _or_warning(lambda rows: screen.print(view.drawn(rows))), interval, first)


def _repeat(measured: Measure, show: Show, interval: float, rows: Sequence[PartitionLag]) -> None:
    seen = time.time()
    show(rows, "")
    while True:
        time.sleep(interval)
        try:
            rows, seen, outage = measured(), time.time(), ""
        except AuthEventsError as error:
            if not error.retryable:
                raise
            outage = f"last measured at {time.strftime('%H:%M:%S', time.localtime(seen))}: {error}"
        show(rows, outage)


def _or_warning(show: Callable[[Sequence[PartitionLag]], None]) -> Show:
    return lambda rows, outage: warn(outage) if outage else show(rows)
