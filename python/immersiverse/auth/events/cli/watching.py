"""Measures and shows every so many seconds, until interrupted: what --watch does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from immersiverse.auth.events.cli.output import console, warn, write_line
from immersiverse.auth.events.errors import AuthEventsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

Measured = TypeVar("Measured")


def watch(
    measure: Callable[[], Measured],
    interval: float,
    *,
    document: Callable[[Measured], Any],
    drawn: Callable[[Measured, int | None], RenderableType],
    as_json: bool,
) -> None:
    """Measure and show again and again: redrawn in place at a terminal, below each other elsewhere.

    The first measurement must succeed; later, a retryable failure keeps the last result on the screen.

    Args:
        measure: measures.
        interval: seconds between two measurements.
        document: a measurement as a JSON value.
        drawn: a measurement for people, at a screen of so many lines, if there is one.
        as_json: whether to write a line of JSON each time.
    """
    screen, first = console(), measure()
    if as_json:
        _repeat(measure, _or_warning(lambda each: write_line(_json(document(each)))), interval, first)
    elif screen.is_terminal and not screen.is_dumb_terminal:
        from rich.console import Group
        from rich.live import Live
        from rich.text import Text

        with Live(console=screen, auto_refresh=False) as display:
            _repeat(
                measure,
                lambda each, below: display.update(
                    Group(drawn(each, screen.height), Text(below)), refresh=True
                ),
                interval,
                first,
            )
    else:
        _repeat(measure, _or_warning(lambda each: screen.print(drawn(each, None))), interval, first)


def _repeat(
    measure: Callable[[], Measured],
    show: Callable[[Measured, str], None],
    interval: float,
    measured: Measured,
) -> None:
    seen = time.time()
    show(measured, "")
    while True:
        time.sleep(interval)
        try:
            measured, seen, outage = measure(), time.time(), ""
        except AuthEventsError as error:
            if not error.retryable:
                raise
            outage = f"last measured at {time.strftime('%H:%M:%S', time.localtime(seen))}: {error}"
        show(measured, outage)


def _or_warning(show: Callable[[Measured], None]) -> Callable[[Measured, str], None]:
    return lambda measured, outage: warn(outage) if outage else show(measured)


def _json(value: Any) -> bytes:
    import orjson

    return orjson.dumps(value)
