"""Ask before something is changed that cannot be taken back."""

from __future__ import annotations

import sys

import typer

from immersiverse.auth.events.cli.failures import VERDICT, WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.output import warn

_UNCHANGED = "nothing was changed"


def require_somebody() -> None:
    """Refuse to ask where nobody can answer.

    Raises:
        CommandFailed: standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise CommandFailed(f"nobody is there to ask, and {_UNCHANGED}; --yes goes ahead", WRONG_USE)


def require_yes(question: str) -> None:
    """Go on only if whoever sits at the terminal says yes.

    Raises:
        CommandFailed: nobody is there to ask.
        typer.Exit: the answer is no.
        typer.Abort: it is an interrupt, or the end of the input.
    """
    require_somebody()
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        print(file=sys.stderr)  # the question has no end of line
        warn(_UNCHANGED)
        raise
    if not agreed:
        warn(_UNCHANGED)
        raise typer.Exit(VERDICT)
