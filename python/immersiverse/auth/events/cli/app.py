"""The `auth-events` application: runs a command, and turns its errors into one line and an exit code."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from typer import Option

from immersiverse.auth.events.cli.commands import LazyCommands, help_without_command
from immersiverse.auth.events.cli.output import (
    BROKEN_PIPE,
    INTERRUPTED,
    WRONG_USE,
    discard_output,
    failure_of,
    replace_unencodable_output,
)
from immersiverse.auth.events.errors import AuthEventsError
from immersiverse.auth.events.printable import printable
from immersiverse.auth.events.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# typer does not export the base class of its usage errors.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]

_EPILOG = """\b
Start here:
  auth-events demo                          watch events flow
  auth-events catalog LoginFailed           what an event contains
  auth-events dev                           a Kafka and a registry for your own code
Every command has an example: auth-events COMMAND --help
Exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 no connection, 130 interrupted."""

app = typer.Typer(
    name="auth-events",
    cls=LazyCommands,
    help="The authentication events of ImmersiVerse: view, create, publish, read and register them.",
    epilog=_EPILOG,
    rich_markup_mode=None,  # rich help takes longer to load than most commands take to run
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"auth-events {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    *,
    version: bool = Option(  # noqa: ARG001 - its callback does the work
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    help_without_command(context)


def run(arguments: Sequence[str]) -> int:
    """Run a command, print an error as one line, and return the exit code."""
    replace_unencodable_output()
    try:
        with _without_warnings():
            code = app(args=list(arguments), prog_name="auth-events", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        return BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except _UsageError as error:
        return _report(_usage(error), WRONG_USE)
    except AuthEventsError as error:
        failure = failure_of(error)
        return _report(failure.line, failure.exit_code)
    return code if isinstance(code, int) else 0


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Hide warnings of libraries, which are for developers, unless Python's option -W was given."""
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.showwarning = lambda *_, **__: None
        yield


def _usage(error: BaseException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "auth-events"
    message = " ".join(error.format_message().split())  # type: ignore[attr-defined]  # typer's usage errors have it
    return f"{message.rstrip('.')} (see: {command} --help)"


def _report(line: str, exit_code: int) -> int:
    print(printable(f"auth-events: {line}"), file=sys.stderr)
    return exit_code
