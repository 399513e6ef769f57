"""SIGTERM and SIGINT, also while a plain handler keeps the event loop from its turn."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NUMBERS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """The first signal asks for a clean end; a second one does what signals do otherwise, which ends at once.

    Elsewhere than in the main thread, where Python takes no signals, it does nothing.

    Args:
        stop: is called from a signal handler.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _NUMBERS}

    def restore() -> None:
        for number, handler in before.items():
            if handler is not None:  # None: installed by something that is not Python
                signal.signal(number, handler)

    def heed(_number: int, _frame: Any) -> None:
        restore()
        stop()

    # Not the event loop's own handlers: those wait for its turn, for which a plain handler may not let it.
    for number in _NUMBERS:
        signal.signal(number, heed)
    try:
        yield
    finally:
        restore()
