"""The demonstration on a screen, in a log, or not at all."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Protocol

from rich.live import Live

from immersiverse.auth.events.cli.demo_drawing import drawing, goodbye, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from immersiverse.auth.events.cli.demo_progress import Progress

_STARTING: Final = "Starting Kafka and a Schema Registry in this process ..."
_PER_SECOND = 8  # pictures
_LINE_EVERY = 1.0  # seconds


class View(Protocol):
    """Shows how the demonstration goes."""

    def starting(self) -> None:
        """Say that it begins."""
        ...

    def running(self, progress: Progress) -> AbstractContextManager[object]:
        """Around all calls of `show`."""
        ...

    def show(self, progress: Progress) -> None:
        """Show how far it is; called often."""
        ...

    def ended(self, progress: Progress) -> None:
        """Sum it up."""
        ...


def view_on(console: Console, *, silent: bool) -> View:
    """The view that fits where the output goes."""
    if silent:
        return SilentView()
    return LiveView(console) if console.is_terminal else LinesView(console)


class SilentView:
    """Shows nothing."""

    def starting(self) -> None:
        """Nothing."""

    def running(self, progress: Progress) -> AbstractContextManager[object]:
        """Nothing but the clock."""
        progress.restart_clock()
        return nullcontext()

    def show(self, progress: Progress) -> None:
        """Nothing."""

    def ended(self, progress: Progress) -> None:
        """Nothing."""


class LiveView:
    """A picture that changes, on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)
        self._drawn = 0.0

    def starting(self) -> None:
        """Say that it begins."""
        self._console.print(f"[dim]{_STARTING}")

    @contextmanager
    def running(self, progress: Progress) -> Iterator[None]:
        """Keep the last picture on the screen when it ends."""
        progress.restart_clock()
        with self._live:
            yield
            self._live.update(drawing(progress, self._console.width), refresh=True)

    def show(self, progress: Progress) -> None:
        """Draw, some times a second."""
        now = time.monotonic()
        if now - self._drawn >= 1 / _PER_SECOND:
            self._drawn = now
            self._live.update(drawing(progress, self._console.width), refresh=True)

    def ended(self, progress: Progress) -> None:
        """What it was, and what to do next."""
        self._console.print(goodbye(progress))


class LinesView:
    """A line a second, for logs, and the last picture."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed = 0.0

    def starting(self) -> None:
        """Say that it begins."""
        self._console.print(_STARTING)

    def running(self, progress: Progress) -> AbstractContextManager[object]:
        """Nothing but the clocks."""
        progress.restart_clock()
        self._printed = time.monotonic()
        return nullcontext()

    def show(self, progress: Progress) -> None:
        """Print a line when it is time."""
        now = time.monotonic()
        if now - self._printed >= _LINE_EVERY:
            self._printed = now
            self._console.print(line(progress))

    def ended(self, progress: Progress) -> None:
        """The last picture, and what to do next."""
        self._console.print(drawing(progress, self._console.width))
        self._console.print(goodbye(progress))
