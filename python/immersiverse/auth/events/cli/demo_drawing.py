"""Pictures of the demonstration's figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.bar import Bar
from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from immersiverse.auth.events.cli.demo_progress import Progress

_WIDTH = 100
_REASONS = 10


def drawing(progress: Progress) -> RenderableType:
    """All figures: the way so far, what happened, why logins failed."""
    columns = Table.grid(expand=True, padding=(0, 3))
    columns.add_column(no_wrap=True)
    columns.add_column(ratio=1)
    columns.add_row(_happened(progress), _failures(progress))
    return Panel(
        Group(_way(progress), Padding(columns, (1, 0, 0, 0))),
        title="[bold]auth.events.*",
        subtitle="[dim]simulated, as Protobuf through Kafka, read back as typed events",
        width=_WIDTH,
        padding=(1, 1),
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
        f"in {progress.seconds:.1f} s: {progress.per_second:,.0f} a second, {size:.0f} bytes each.\n\n"
        "Next:\n"
        "  auth-events catalog               every event, its topic and key\n"
        "  auth-events simulate --events 5   such events as JSON\n"
        "  auth-events dev                   this Kafka and registry for your own code\n"
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


def _happened(progress: Progress) -> RenderableType:
    count = progress.tally.by_type
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", style="bold", no_wrap=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_row("World time", f"{progress.tally.days:.1f} days", _clock(progress.tally.last))
    grid.add_row("New users", f"{count['UserCreated']:,}", f"{count['UserDeleted']:,} left")
    grid.add_row(
        "Logins", f"{count['LoginSucceeded']:,}", f"[green]{progress.tally.success_rate:.1%} success[/]"
    )
    grid.add_row("Logouts", f"{count['LoggedOut']:,}", "")
    grid.add_row("Profile changes", f"{count['UserUpdated']:,}", "")
    grid.add_row("Passwords changed", f"{count['PasswordChanged']:,}", "")
    grid.add_row("Accounts locked", f"{count['AccountLocked']:,}", f"{count['AccountUnlocked']:,} unlocked")
    grid.add_row(
        "Platforms linked", f"{count['PlatformConnected']:,}", f"{count['PlatformDisconnected']:,} unlinked"
    )
    grid.add_row("Suspicious logins", f"{count['SuspiciousLogin']:,}", "")
    grid.add_row(
        "Attacks detected", f"{count['BruteForceDetected']:,}", f"{count['BlacklistAdded']:,} blacklisted"
    )
    return grid


def _failures(progress: Progress) -> RenderableType:
    failures = progress.tally.failures.most_common(_REASONS)
    most = failures[0][1] if failures else 1
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", style="bold", no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_row("[dim]Failed logins", f"{progress.tally.by_type['LoginFailed']:,}", "")
    for reason, number in failures:
        grid.add_row(reason, f"{number:,}", Bar(most, 0, number, color="red"))
    return grid


def _clock(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%a %H:%M}" if seconds else ""
