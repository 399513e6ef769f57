"""How far a command on dead letters is: on a terminal, a line on standard error that moves."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_EVERY = 0.1  # seconds


class LetterProgress:
    """Says what is going on.

    Args:
        say: shows a line in the place of the last one; None shows nothing.
    """

    def __init__(self, say: Any) -> None:
        self._say = say
        self._said = 0.0
        self._begun: float | None = None

    def read(self, messages: int, whole: int) -> None:
        """So many messages of so many have been read."""
        self._show(f"looking through the dead letters: {messages:,} of {whole:,}")

    def done(self, verb: str, letters: int) -> None:
        """So many letters are through."""
        now = time.monotonic()
        self._begun = now if self._begun is None else self._begun
        rate = letters / (now - self._begun) if now > self._begun else 0.0
        self._show(f"{letters:,} {verb}, {rate:,.0f} a second")

    def _show(self, line: str) -> None:
        now = time.monotonic()
        if self._say is not None and now - self._said > _EVERY:
            self._said = now
            self._say(line)


@contextmanager
def letter_progress(*, silent: bool) -> Iterator[LetterProgress]:
    """Progress as long as this lasts; none is seen where no terminal is, or nothing is to be said."""
    if silent or not sys.stderr.isatty():
        yield LetterProgress(None)
        return
    from rich.console import Console
    from rich.status import Status

    with Status("looking through the dead letters", console=Console(stderr=True)) as status:
        yield LetterProgress(status.update)
