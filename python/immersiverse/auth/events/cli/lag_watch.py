"""Look at something again and again, also while Kafka does not answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import orjson
from rich.console import Group
from rich.live import Live
from rich.text import Text

from immersiverse.auth.events.cli import lag_view as view
from immersiverse.auth.events.cli.output import console, warn, write_line
from immersiverse.auth.events.errors import AuthEventsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console, RenderableType

    from immersiverse.auth.events.operations.lag import Lag

    Look = Callable[[], Sequence[Lag]]
    Show = Callable[[Sequence[Lag], str], None]


def watch(look: Look, interval: float, *, as_json: bool) -> None:
    """Show what a look shows, every so many seconds, until interrupted.

    A look that fails for a while leaves what the last one showed; the first must succeed.

    Args:
        look: looks.
        interval: seconds between two looks.
        as_json: whether to write a line of JSON a look.

    Raises:
        AuthEventsError: if a look fails in a way that will not pass.
    """
    screen, first = console(), look()
    if as_json:
        _repeat(look, _line, interval, first)
    elif screen.is_terminal and not screen.is_dumb_terminal:
        with Live(_drawn(screen, first, ""), console=screen, auto_refresh=False) as live:
            _repeat(look, lambda rows, trouble: live.update(_drawn(screen, rows, trouble), refresh=True),
                    interval, first)  # fmt: skip
    else:
        _repeat(look, _page(screen), interval, first)


def _repeat(look: Look, show: Show, interval: float, rows: Sequence[Lag]) -> None:
    seen = time.time()
    show(rows, "")
    while True:
        time.sleep(interval)
        try:
            rows, seen, trouble = look(), time.time(), ""
        except AuthEventsError as error:
            if not error.retryable:
                raise
            trouble = f"as it was at {time.strftime('%H:%M:%S', time.localtime(seen))}: {error}"
        show(rows, trouble)


def _drawn(screen: Console, rows: Sequence[Lag], trouble: str) -> RenderableType:
    return Group(view.drawn(rows, screen.height), Text(trouble))


def _page(screen: Console) -> Show:
    def show(rows: Sequence[Lag], trouble: str) -> None:
        if trouble:
            warn(trouble)
        else:
            screen.print(view.drawn(rows))

    return show


def _line(rows: Sequence[Lag], trouble: str) -> None:
    if trouble:
        warn(trouble)
    else:
        write_line(orjson.dumps([view.document(row) for row in rows]))
