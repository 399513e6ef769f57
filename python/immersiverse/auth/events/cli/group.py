"""Groups of commands: one that is called without a command explains itself."""

from __future__ import annotations

import typer


def new_group(purpose: str) -> typer.Typer:
    """A group of commands.

    Args:
        purpose: what they are about, in a sentence.
    """
    group = typer.Typer(help=purpose)
    group.callback(invoke_without_command=True)(explain_unless_called)
    return group


def explain_unless_called(context: typer.Context) -> None:
    """Print the help if no command follows."""
    if context.invoked_subcommand is None:
        print(context.get_help())
