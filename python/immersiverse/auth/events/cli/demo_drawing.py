"""Pictures of the demonstration's figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.bar import Bar
from rich.console import Group
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from immersiverse.auth.events.cli.demo_progress import Progress

_WIDEST = 100  # columns
_ECHO = 2  # columns beside the picture, for the terminal's ^C: it would wrap, and what is drawn next be off
_FOR_BARS = 90  # columns; a narrower picture does without
_FOR_DETAILS = 74
_FOR_FAILURES = 48
_REASONS = 10
_SUBTITLE = "simulated, as Protobuf through Kafka, read back as typed events"
_SHORT_SUBTITLE = "simulated, through Kafka, and back"


def drawing(progress: Progress, columns: int) -> RenderableType:
    """All figures: the way so far, what happened, why logins failed; 15 lines at most.

    Args:
        progress: the figures.
        columns: the width of the screen; a narrow one has fewer figures.
    """
    width = min(_WIDEST, columns - _ECHO)
    grid = Table.grid(expand=True, padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    cells = [_happened(progress, details=width >= _FOR_DETAILS)]
    if width >= _FOR_FAILURES:
        cells.append(_failures(progress, bars=width >= _FOR_BARS))
    grid.add_row(*cells)
    return Panel(
        Group(_way(progress), "", grid),
        title="[bold]auth.events.*",
        subtitle="[dim]" + (_SUBTITLE if width >= _FOR_DETAILS else _SHORT_SUBTITLE),
        width=width,
    )


def line(progress: Progress) -> str:
    """The most important figures in one line."""
    tally = progress.tally
    return (
        f"{progress.arrived:,} of {progress.wanted:,} events, {progress.per_second:,.0f} a second: "
        f"{tally.by_type['UserCreated']:,} new users, {tally.success_rate:.1%} of logins succeeded"
    )


def goodbye(progress: Progress) -> RenderableType:
    """What it was, and what to do next."""
    order = "in order" if not progress.order.late else f"{progress.order.late:,} of them out of order"
    size = progress.bytes / progress.arrived if progress.arrived else 0
    return Text.from_markup(
        f"\n[bold]{progress.arrived:,} events[/] of {progress.order.users:,} users arrived {order} "
        f"in {progress.seconds:.1f} s, {size:.0f} bytes each.\n\n"
        "Next: auth-events catalog              every event and its key\n"
        "      auth-events simulate --events 5  such events as JSON\n"
        "      auth-events dev                  Kafka for your own code"
    )


def _way(progress: Progress) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 2))
    grid.add_column(ratio=1)
    grid.add_row(
        ProgressBar(total=progress.wanted, completed=progress.arrived),
        f"{progress.arrived:,} of {progress.wanted:,} events",
        f"[bold]{progress.per_second:,.0f}[/] a second",
    )
    return grid


def _happened(progress: Progress, *, details: bool) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", style="bold", no_wrap=True)
    for label, figure, detail in _figures(progress):
        grid.add_row(label, figure, *([f"[dim]{detail}"] if details else []))
    return grid


def _figures(progress: Progress) -> Iterator[tuple[str, str, str]]:
    tally, count = progress.tally, progress.tally.by_type
    yield "World time", f"{tally.days:.1f} days", _clock(tally.last)
    yield "New users", f"{count['UserCreated']:,}", f"{count['UserDeleted']:,} left"
    yield "Logins", f"{count['LoginSucceeded']:,}", ""
    yield "Login success", f"[green]{tally.success_rate:.1%}", ""
    yield "Logouts", f"{count['LoggedOut']:,}", ""
    yield "Profile changes", f"{count['UserUpdated']:,}", ""
    yield "Passwords changed", f"{count['PasswordChanged']:,}", ""
    yield "Accounts locked", f"{count['AccountLocked']:,}", f"{count['AccountUnlocked']:,} unlocked"
    yield "Platforms linked", f"{count['PlatformConnected']:,}", f"{count['PlatformDisconnected']:,} unlinked"
    yield "Suspicious logins", f"{count['SuspiciousLogin']:,}", ""
    yield "Attacks detected", f"{count['BruteForceDetected']:,}", f"{count['BlacklistAdded']:,} blacklisted"


def _failures(progress: Progress, *, bars: bool) -> RenderableType:
    failures = progress.tally.failures.most_common(_REASONS)
    most = failures[0][1] if failures else 1
    grid = Table.grid(expand=bars, padding=(0, 1))
    grid.add_column()  # the one to be cut where it is narrow: a number must be read to its end
    grid.add_column(justify="right", style="bold", no_wrap=True)
    if bars:
        grid.add_column(ratio=1)
    grid.add_row("[dim]Failed logins", f"{progress.tally.by_type['LoginFailed']:,}")
    for reason, number in failures:
        label = Text(reason, no_wrap=True, overflow="ellipsis")
        grid.add_row(label, f"{number:,}", *([Bar(most, 0, number, color="red")] if bars else []))
    return grid


def _clock(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%a %H:%M}" if seconds else ""
