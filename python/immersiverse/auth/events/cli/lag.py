"""auth-events lag."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.kafka_options import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.output import console, warn, write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.table import Table

    from immersiverse.auth.events.operations.lag import Lag


def lag(
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group", "-g", metavar="GROUP", help="Only this group; repeat it. All that read events if none."
        ),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option("--topic", "-t", metavar="TOPIC", help="Only this topic; repeat it."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until stopped.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=0.1, help="How long between two looks.")
    ] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON; watching, a line a look.")] = False,
) -> None:
    """Show how far consumer groups are behind, partition by partition.

    Offsets count all that was written, so an idle group may seem a little behind where transactions ended.
    """
    from immersiverse.auth.events.operations.lag import measure

    cluster = connected_cluster(bootstrap_servers, config, config_file)
    groups, topics = group or (), topic or (None if group else _contract_topics())

    def look() -> tuple[Lag, ...]:
        return measure(cluster, groups, topics)

    if watch:
        _watch(look, interval, as_json=as_json)
    elif as_json:
        write_json([_document(row) for row in look()])
    elif rows := look():
        console().print(_table(rows))
    else:
        warn("no group reads these topics, or these credentials may see none")


def _contract_topics() -> tuple[str, ...]:
    from immersiverse.auth.events import catalog

    return (*catalog.TOPICS, catalog.SINGLE_TOPIC, catalog.DEAD_LETTER_TOPIC)


def _watch(look: Callable[[], Sequence[Lag]], interval: float, *, as_json: bool) -> None:
    if as_json:
        import orjson

        while True:
            write_line(orjson.dumps([_document(row) for row in look()]))
            time.sleep(interval)
    from rich.live import Live

    screen = console()
    if not screen.is_terminal:
        while True:
            screen.print(_table(look()))
            time.sleep(interval)
    with Live(_table(look()), console=screen, auto_refresh=False) as live:
        while True:
            time.sleep(interval)
            live.update(_table(look()), refresh=True)


def _document(row: Lag) -> dict[str, Any]:
    return {
        "group": row.group,
        "state": row.state,
        "topic": row.partition.topic,
        "partition": row.partition.number,
        "committed": row.committed,
        "end": row.end,
        "lag": row.behind,
    }


def _table(rows: Sequence[Lag]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from immersiverse.auth.events.operations.lag import total

    table = Table(box=SIMPLE_HEAD, show_footer=len(rows) > 1)
    table.add_column("Group", "all", overflow="fold")
    table.add_column("State")
    table.add_column("Partition", overflow="fold")
    for name in ("Committed", "End"):
        table.add_column(name, justify="right")
    table.add_column("Lag", f"{total(rows):,}", justify="right")
    for row in rows:
        committed = "-" if row.committed is None else f"{row.committed:,}"
        table.add_row(row.group, row.state, str(row.partition), committed, f"{row.end:,}", f"{row.behind:,}")
    return table
