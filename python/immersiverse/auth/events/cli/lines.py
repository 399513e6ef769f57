"""Lines in, lines out: each on its own, so that a bad one spoils no other."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import IO, TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.failures import VERDICT, WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.output import warn, write_line
from immersiverse.auth.events.errors import DecodeError, InvalidEvent, InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

InputFile = Annotated[
    str,
    typer.Argument(metavar="FILE", help="What to read; standard input unless given.", show_default=False),
]
STANDARD_INPUT = "-"


def convert_lines(source: str, convert: Callable[[bytes], bytes]) -> None:
    """Convert the lines of a file one by one; a bad one is reported with its number, and the rest goes on.

    Args:
        source: the file's name, or ``-``.
        convert: makes a line of output of a line of input. Blank ones never reach it.

    Raises:
        CommandFailed: the file cannot be read.
        typer.Exit: with code 1, at the end, if a line was bad.
    """
    failed = False
    for number, line in numbered_lines(source):
        try:
            converted = convert(line)
        except (DecodeError, InvalidEvent, InvalidSchema) as error:
            warn(f"line {number}: {error}")
            failed = True
        else:
            write_line(converted)
    if failed:
        raise typer.Exit(VERDICT)


def numbered_lines(source: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, without space around them, with their numbers from 1.

    Args:
        source: the file's name, or ``-``.

    Raises:
        CommandFailed: the file cannot be read; at once, before anything else is done.
    """
    return _numbered(_opened(source))


def _numbered(opened: AbstractContextManager[IO[bytes]]) -> Iterator[tuple[int, bytes]]:
    with opened as lines:
        for number, line in enumerate(lines, 1):
            if stripped := line.strip():
                yield number, stripped


def _opened(source: str) -> AbstractContextManager[IO[bytes]]:
    if source == STANDARD_INPUT:
        if sys.stdin.isatty():
            warn("reading from the terminal; end with Ctrl-D")
        return nullcontext(sys.stdin.buffer)
    try:
        return open(source, "rb")  # noqa: PTH123 - closed by whoever reads it
    except OSError as error:
        raise CommandFailed(f"cannot read {source}: {error.strerror}", WRONG_USE) from error
