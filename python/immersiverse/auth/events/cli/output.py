"""Where results go: data to standard output as it is, tables as rich draws them."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from immersiverse.auth.events.cli.failures import BROKEN_PIPE
from immersiverse.auth.events.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console

# Control characters save tabs and line feeds; and how C1 and marks of direction begin in UTF-8, as more does.
_SUSPICIOUS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f\xd8\xc2\xe2]")
_WIDTH_OF_FILES = 160  # a table in a file or pipe is not cut to a terminal that is not there
_HEIGHT_OF_FILES = 100


def console() -> Console:
    """A console on standard output."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(highlight=False)
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and int(columns) else _WIDTH_OF_FILES
    # Rich takes a dumb terminal for 80 columns wide unless it is told both measures.
    return Console(highlight=False, width=width, height=_HEIGHT_OF_FILES)


def accept_any_letter() -> None:
    """Write a question mark for what the encoding of standard output lacks, instead of failing over it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def write_json(value: Any) -> None:
    """Write a JSON document for a program, or for a person who likes JSON."""
    import orjson

    write_line(orjson.dumps(value, option=orjson.OPT_INDENT_2))


def write_line(line: bytes) -> None:
    """Write a line at once, so that whoever reads a pipe need not wait."""
    write_lines((line,))


def write_lines(lines: Iterable[bytes]) -> None:
    """Write lines as fast as they come, without control characters: JSON stays the same document.

    Raises:
        typer.Exit: nobody reads any more, as after ``| head``; that is no failure to speak of.
    """
    try:
        for line in lines:
            sys.stdout.buffer.write(_harmless(line) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        forget_output()
        raise typer.Exit(BROKEN_PIPE) from error


def _harmless(line: bytes) -> bytes:
    """A line that does nothing to a terminal: JSON itself lets DEL, C1 and changes of direction pass."""
    if not _SUSPICIOUS.search(line):
        return line
    return printable(line.decode(errors="replace"), lines=True).encode()


def forget_output() -> None:
    """Send what is still to be written nowhere, lest Python try it again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def progress_bar(verb: str, *, silent: bool) -> Iterator[Callable[[int], None]]:
    """A line on standard error that shows a count and its speed; on a terminal only.

    Args:
        verb: what is counted, such as ``published``.
        silent: whether to show nothing anywhere.

    Yields:
        What to call with the count so far.
    """
    if silent or not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.completed:,.0f} {task.description}, {task.fields[rate]:,.0f} a second")
    with Progress(
        SpinnerColumn(), text, TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task(verb, total=None, rate=0.0)

        def show(count: int) -> None:
            elapsed = progress.tasks[0].elapsed or 0.0
            progress.update(task, completed=count, rate=count / elapsed if elapsed else 0.0)

        yield show


def warn(line: str) -> None:
    """Say something beside the results."""
    print(printable(" ".join(line.split())), file=sys.stderr, flush=True)
