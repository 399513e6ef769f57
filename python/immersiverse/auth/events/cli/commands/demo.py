"""auth-events demo."""

from __future__ import annotations

import logging
import time
from collections import deque
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from typer import Option

from immersiverse.auth.events.cli.output import console, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from immersiverse.auth.events.testing.demo import Figures

_PER_SECOND = 8  # pictures on a terminal
_LINE_EVERY = 1.0  # seconds, elsewhere
_WIDEST = 100  # columns
_ECHO = 2  # columns beside the picture, for the terminal's ^C, which would otherwise wrap its lines
_FOR_DETAILS, _FOR_FAILURES = 74, 48  # columns; a narrower picture does without
_REASONS = 10
_NEXT = """\
Next: auth-events catalog              every event and its key
      auth-events simulate --events 5  such events as JSON
      auth-events dev                  Kafka for your own code"""


def demo(
    *,
    events: int = Option(40_000, "--events", "-n", metavar="N", min=1, help="How many."),
    seed: int = Option(1, "--seed", "-s", metavar="S", help="Which simulated stream."),
    as_json: bool = Option(False, "--json", help="Only the summary, as JSON."),
) -> None:
    """Watch authentication events flow through Kafka: published, handled, retried, dropped, dead-lettered.

    Everything runs in this process: a broker, a registry with the contract, a Publisher and a Subscriber.
    Some events are published twice and some handlers fail, to show what the subscriber does then.
    """
    from immersiverse.auth.events.simulation import simulate
    from immersiverse.auth.events.testing.demo import Demo
    from immersiverse.auth.events.testing.stack import EmbeddedStack

    logging.getLogger("immersiverse").addHandler(logging.NullHandler())  # the picture shows what is logged
    screen = console()
    if not as_json:
        screen.print("[dim]Starting Kafka and a Schema Registry in this process ...")
    with EmbeddedStack() as stack:
        run = Demo(stack, simulate(seed, events), events)
        with closing(run.run()) as figures:
            _show(screen, figures, run.figures, silent=as_json)
    if as_json:
        write_json(run.figures.summary())
    else:
        screen.print(goodbye(run.figures))


def _show(screen: Console, progress: Iterator[Figures], figures: Figures, *, silent: bool) -> None:
    """A moving picture on a terminal; elsewhere a line a second and the last picture."""
    from rich.live import Live

    if silent:
        deque(progress, maxlen=0)
        return
    if screen.is_terminal:
        drawn = partial(picture, figures, screen.width)
        with Live(get_renderable=drawn, console=screen, refresh_per_second=_PER_SECOND):
            deque(progress, maxlen=0)
        return
    shown = time.monotonic()
    for _ in progress:
        if time.monotonic() - shown > _LINE_EVERY:
            shown = time.monotonic()
            screen.print(line(figures))
    screen.print(picture(figures, screen.width))


def line(figures: Figures) -> str:
    """The most important figures in one line."""
    return (
        f"{figures.settled:,} of {figures.wanted:,} events, {figures.per_second:,.0f} a second: "
        f"{figures.retried:,} retried, {figures.duplicates:,} duplicates dropped, "
        f"{figures.dead_letters:,} dead letters, lag {figures.lag:,}"
    )


def goodbye(figures: Figures) -> RenderableType:
    """What it was, and what to do next."""
    from rich.text import Text

    late = figures.out_of_order
    order = "each user's in order" if not late else f"{late:,} of them out of order"
    return Text.from_markup(
        f"\n[bold]{figures.wanted:,} events[/] of {figures.by_type['UserCreated']:,} users in "
        f"{figures.seconds:.1f} s, {order}; lag {figures.lag:,}.\n\n{_NEXT}"
    )


def picture(figures: Figures, columns: int) -> RenderableType:
    """All figures, in 15 lines at most; a narrow screen has fewer."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    width = min(_WIDEST, columns - _ECHO)
    bar = Table.grid(expand=True, padding=(0, 2))
    bar.add_column(ratio=1)
    settled = min(figures.settled, figures.wanted)
    bar.add_row(
        ProgressBar(total=figures.wanted, completed=settled),
        f"{settled:,} of {figures.wanted:,} events",
        f"[bold]{figures.per_second:,.0f}[/] a second",
    )
    grid = Table.grid(expand=True, padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    cells = [_counts(figures, details=width >= _FOR_DETAILS)]
    if width >= _FOR_FAILURES:
        cells.append(_failures(figures))
    grid.add_row(*cells)
    subtitle = "Publisher, Kafka, Subscriber: everything in this process"
    title, subtitle = "[bold]auth.events.*", f"[dim]{subtitle}" if width >= _FOR_DETAILS else ""
    return Panel(Group(bar, "", grid), title=title, subtitle=subtitle or None, width=width)


def _counts(figures: Figures, *, details: bool) -> RenderableType:
    from rich.table import Table

    count, latest = figures.by_type, figures.latest
    platforms, attacks = count["PlatformConnected"], count["BruteForceDetected"]
    clock = f"{datetime.fromtimestamp(figures.last, UTC):%a %d %b, %H:%M}" if figures.last else ""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", style="bold", no_wrap=True)
    for label, number, detail in (
        ("Published", figures.published, f"{figures.bytes_per_event:.0f} bytes each"),
        ("Handled", figures.handled, clock),
        ("Retried", figures.retried, latest.get("retried", "")),
        ("Duplicates", figures.duplicates, latest.get("duplicates", "")),
        ("Dead letters", figures.dead_letters, latest.get("dead_letters", "")),
        ("Lag", figures.lag, ""),
        ("New users", count["UserCreated"], f"{count['UserDeleted']:,} left"),
        ("Logins", count["LoginSucceeded"], f"[green]{figures.login_success_rate:.1%} succeed"),
        ("Platforms linked", platforms, f"{count['PlatformDisconnected']:,} unlinked"),
        ("Suspicious logins", count["SuspiciousLogin"], ""),
        ("Attacks detected", attacks, f"{count['BlacklistAdded']:,} blacklisted"),
    ):
        grid.add_row(label, f"{number:,}", *([f"[dim]{detail}"] if details else []))
    return grid


def _failures(figures: Figures) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    grid.add_column()  # the one that is cut where it is narrow: numbers stay whole
    grid.add_column(justify="right", style="bold", no_wrap=True)
    grid.add_row("[dim]Failed logins", f"{figures.by_type['LoginFailed']:,}")
    for reason, number in figures.failures.most_common(_REASONS):
        grid.add_row(Text(reason, no_wrap=True, overflow="ellipsis"), f"{number:,}")
    return grid
