"""The terminal: results, warnings, progress, questions, signals, and errors as one line with an exit code."""

from __future__ import annotations

import io
import os
import re
import select
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import typer

from immersiverse.auth.events.errors import AuthEventsError, ConfigurationError, MissingExtra
from immersiverse.auth.events.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console

VERDICT: Final = 1
WRONG_USE: Final = 2
NO_CONNECTION: Final = 3
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

# Control characters except tab and line feed; and bytes that C1 and direction marks begin with in UTF-8.
_SUSPICIOUS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f\xd8\xc2\xe2]")
_FILE_WIDTH = 160  # columns of a table that goes to a file or pipe
_FILE_HEIGHT = 100
_POLL_SECONDS = 0.1
_YES = ("y", "yes")
_UNCHANGED = "nothing was changed"


class CommandFailed(AuthEventsError):
    """A command cannot continue, and ends with this exit code."""

    def __init__(self, line: str, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(line)


class ExitReason(NamedTuple):
    """What a user sees of an error: what happened, as one line, and the command's exit code."""

    line: str
    exit_code: int


def failure_of(error: AuthEventsError) -> ExitReason:
    """The line and the exit code of an error."""
    line = " ".join(str(error).split())
    if isinstance(error, CommandFailed):
        return ExitReason(line, error.exit_code)
    if isinstance(error, ConfigurationError | MissingExtra):
        return ExitReason(line, WRONG_USE)
    return ExitReason(line, NO_CONNECTION if error.retryable else VERDICT)


def console() -> Console:
    """A console on standard output."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(highlight=False)
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and int(columns) else _FILE_WIDTH
    # With TERM=dumb, rich assumes 80 columns unless it gets both width and height.
    return Console(highlight=False, width=width, height=_FILE_HEIGHT)


def replace_unencodable_output() -> None:
    """Write a question mark for characters that standard output cannot encode, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def write_json(value: Any) -> None:
    """Write an indented JSON document."""
    import orjson

    write_line(orjson.dumps(value, option=orjson.OPT_INDENT_2))


def write_line(line: bytes) -> None:
    """Write a line, and flush it."""
    write_lines((line,))


def write_lines(lines: Iterable[bytes]) -> None:
    """Write lines without control characters; valid JSON stays the same document.

    The command exits if the reader has closed the pipe, as ``| head`` does.
    """
    try:
        for line in lines:
            sys.stdout.buffer.write(_without_controls(line) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        discard_output()
        raise typer.Exit(BROKEN_PIPE) from error


def _without_controls(line: bytes) -> bytes:
    """The line with control characters escaped: JSON allows DEL, C1 and direction marks unescaped."""
    if not _SUSPICIOUS.search(line):
        return line
    return printable(line.decode(errors="replace"), lines=True).encode()


def discard_output() -> None:
    """Redirect standard output to the null device, so that Python does not retry the flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def stdout_closed() -> bool:
    """Whether the reader of a pipe on standard output has closed it."""
    if not hasattr(select, "poll"):  # Windows: the next write fails instead
        return False
    watched = select.poll()
    watched.register(sys.stdout.fileno(), 0)  # POLLERR is reported without being requested
    return any(happened & select.POLLERR for _, happened in watched.poll(0))


def warn(line: str) -> None:
    """Write a line to standard error."""
    print(printable(" ".join(line.split())), file=sys.stderr, flush=True)


@contextmanager
def progress(what: str, *, silent: bool) -> Iterator[Callable[..., None]]:
    """Show a count, such as of what is ``published``, and its rate on standard error, if that is a terminal.

    Yields:
        A function to call with the count so far, and with what is counted from now on if that has changed.
    """
    if silent or not sys.stderr.isatty():
        yield lambda _count, _what="": None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.completed:,.0f} {task.description}, {task.fields[rate]:,.0f} a second")
    columns = (SpinnerColumn(), text, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None, rate=0.0)

        def show(count: int, what: str = what) -> None:
            if shown.tasks[0].description != what:
                shown.reset(task, total=None, description=what)
            elapsed = shown.tasks[0].elapsed or 0.0
            shown.update(task, completed=count, rate=count / elapsed if elapsed else 0.0)

        yield show


def stdin_is_tty() -> bool:
    """Whether standard input is a terminal, so that a question can be answered."""
    return sys.stdin.isatty()


def require_yes(question: str) -> None:
    """Ask, and return only if the answer is yes.

    Raises:
        CommandFailed: standard input is not a terminal.
        typer.Exit: the answer is no.
        typer.Abort: Ctrl-C, or the end of the input.
    """
    if not stdin_is_tty():
        raise CommandFailed(f"stdin is not a terminal: pass --yes to confirm ({_UNCHANGED})", WRONG_USE)
    try:
        answer = _answer(f"{question} [y/N]: ")
    except KeyboardInterrupt:
        answer = ""
    if not answer:
        print(file=sys.stderr)  # the cursor is still behind the question
        warn(_UNCHANGED)
        raise typer.Abort
    if answer.strip().lower() not in _YES:
        warn(_UNCHANGED)
        raise typer.Exit(VERDICT)


def _answer(question: str) -> str:
    """The line that is typed; empty at the end of the input."""
    print(printable(question), end="", file=sys.stderr, flush=True)
    if sys.platform != "win32":
        # An interrupt between the question and a blocking read would go unnoticed until a key is pressed.
        while not select.select([sys.stdin], [], [], _POLL_SECONDS)[0]:
            pass
    return sys.stdin.readline()


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, instead of their usual effect."""
    stopped = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in signals}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
