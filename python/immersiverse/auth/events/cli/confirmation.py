"""Ask before something is changed that cannot be taken back."""

from __future__ import annotations

import select
import sys

import typer

from immersiverse.auth.events.cli.failures import VERDICT, WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.output import warn
from immersiverse.auth.events.printable import printable

_TICK = 0.1  # seconds
_YES = ("y", "yes")
_UNCHANGED = "nothing was changed"


def is_somebody_there() -> bool:
    """Whether standard input is a terminal, where somebody can answer."""
    return sys.stdin.isatty()


def require_yes(question: str) -> None:
    """Go on only if whoever sits at the terminal says yes.

    Raises:
        CommandFailed: nobody is there to ask.
        typer.Exit: the answer is no.
        typer.Abort: it is an interrupt, or the end of the input.
    """
    if not is_somebody_there():
        raise CommandFailed(f"nobody is there to ask, and {_UNCHANGED}; --yes goes ahead", WRONG_USE)
    try:
        answer = _answer(f"{question} [y/N]: ")
    except KeyboardInterrupt:
        answer = ""
    if not answer:
        print(file=sys.stderr)  # the question has no end of line
        warn(_UNCHANGED)
        raise typer.Abort
    if answer.strip().lower() not in _YES:
        warn(_UNCHANGED)
        raise typer.Exit(VERDICT)


def _answer(question: str) -> str:
    """A line of what is typed; empty at the end of the input."""
    print(printable(question), end="", file=sys.stderr, flush=True)
    if sys.platform != "win32":
        # To read at once would sleep through an interrupt that comes in between.
        while not select.select([sys.stdin], [], [], _TICK)[0]:
            pass
    return sys.stdin.readline()
