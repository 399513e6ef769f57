"""auth-events demo."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from immersiverse.auth.events.cli.commands.demo import goodbye, line, picture
from immersiverse.auth.events.observability.hooks import DeadLettered, Dropped, Durations, Published, Retried
from immersiverse.auth.events.simulation import simulate
from immersiverse.auth.events.testing.demo import Figures


def drawn(figures, width=100):
    screen = Console(file=io.StringIO(), width=width)
    screen.print(picture(figures, width))
    screen.print(goodbye(figures))
    return screen.file.getvalue()


@pytest.fixture(scope="module")
def halfway():
    figures = Figures(10_000, seconds=2.0)
    for event in simulate(1, 5_000):
        figures.handle(event)
    for detail in (
        Retried("auth.events.user", 1, 0.2, TimeoutError()),
        Dropped("auth.events.user", "UserCreated", "duplicate"),
        DeadLettered("auth.events.user", "ValueError", 3),
    ):
        figures.watch(detail)
    return figures


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_the_picture_fits_any_terminal(halfway, width):
    screen = Console(file=io.StringIO(), width=width)
    screen.print(picture(halfway, width))
    lines = screen.file.getvalue().splitlines()
    assert max(map(len, lines)) + len("^C") <= width  # which a terminal echoes beside it
    assert len(lines) <= 16


@pytest.mark.parametrize("width", [60, 80, 100])
def test_figures_are_whole_in_any_terminal(halfway, width):
    shown = drawn(halfway, width)
    for count in ("UserCreated", "LoginSucceeded", "LoginFailed"):
        assert f" {halfway.by_type[count]:,} " in shown


def test_the_picture_says_what_happened(halfway):
    shown = drawn(halfway)
    for part in (
        "5,002 of 10,000 events",
        "2,501 a second",
        "after TimeoutError",
        "UserCreated",
        "ValueError, 3 tries",
        f"{halfway.login_success_rate:.1%} succeed",
        "invalid credentials",
        "Attacks detected",
    ):
        assert part in shown
    assert "5,002 of 10,000 events" in line(halfway)
    assert "1 retried, 1 duplicates dropped, 1 dead letters" in line(halfway)


def test_the_picture_of_nothing_is_drawn_too():
    assert "0 of 1 events" in drawn(Figures(1))


def test_what_is_not_committed_and_what_is_out_of_order_is_said():
    figures = Figures(2)
    durations = Durations()
    durations.add(0.1, times=2)
    figures.watch(Published("auth.events.user", "UserCreated", "", durations))
    event = next(simulate(1, 1))
    figures.handle(event)
    assert "each user's in order; lag 2" in drawn(figures)
    figures.handle(event)
    assert "1 of them out of order" in drawn(figures)
