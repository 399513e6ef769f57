"""The commands in one application, and how each way to end becomes an exit code."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.catalog import catalog
from immersiverse.auth.events.cli.codec import decode, encode
from immersiverse.auth.events.cli.demo import demo
from immersiverse.auth.events.cli.dev import dev, simulate
from immersiverse.auth.events.cli.dlq import dlq
from immersiverse.auth.events.cli.failures import BROKEN_PIPE, INTERRUPTED, WRONG_USE, failure_of
from immersiverse.auth.events.cli.group import explain_unless_called
from immersiverse.auth.events.cli.inbox import inbox
from immersiverse.auth.events.cli.lag import lag
from immersiverse.auth.events.cli.output import accept_any_letter, forget_output
from immersiverse.auth.events.cli.publish import publish
from immersiverse.auth.events.cli.registry import registry
from immersiverse.auth.events.cli.replay import replay
from immersiverse.auth.events.cli.schema import schema
from immersiverse.auth.events.cli.tail import tail
from immersiverse.auth.events.errors import AuthEventsError
from immersiverse.auth.events.printable import printable
from immersiverse.auth.events.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# typer has no public name for the root of its usage errors; this one of them has.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]

_EPILOG = """\b
Begin here:
  auth-events demo                          watch events flow
  auth-events catalog LoginFailed           what an event says
  auth-events dev                           a Kafka and a registry for your own code
Every command has an example: auth-events COMMAND --help
Exit codes: 0 done, 1 a verdict or a refusal, 2 wrong use, 3 no connection, 130 interrupted."""

app = typer.Typer(
    name="auth-events",
    help="The authentication events of ImmersiVerse: see them, make them, read them, register them.",
    epilog=_EPILOG,
    rich_markup_mode=None,  # its richer help takes longer to load than most commands to run
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
    version: Annotated[  # noqa: ARG001 - its callback does it all
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    explain_unless_called(context)


_KAFKA = "localhost:9092"
_LOCAL = "http://localhost:8081"

_command = app.command
_command(
    short_help="Show every event, its topic and key.", epilog="Example: auth-events catalog LoginFailed"
)(catalog)
_command(
    short_help="Simulate a realistic stream of events.",
    epilog="Example: auth-events simulate --events 1000 --seed 7 > events.jsonl",
)(simulate)
_command(
    short_help="Turn JSON into message values.",
    epilog=f"Example: auth-events simulate --events 3 | auth-events encode --registry {_LOCAL}",
)(encode)
_command(
    short_help="Turn message values into JSON.",
    epilog=f"Example: auth-events decode frames.txt --registry {_LOCAL}",
)(decode)
_command(
    short_help="Publish JSON to Kafka.",
    epilog=f"Example: auth-events simulate | auth-events publish -b {_KAFKA} --registry {_LOCAL}",
)(publish)
_command(
    short_help="Show events as they arrive.",
    epilog=f"Example: auth-events tail -b {_KAFKA} --type LoginFailed --redact network",
)(tail)
_command(
    short_help="Show how far consumer groups are behind.",
    epilog=f"Example: auth-events lag -b {_KAFKA} --watch",
)(lag)
_command(
    short_help="Let a consumer group read events again.",
    epilog=f"Example: auth-events replay -b {_KAFKA} -g analytics -t auth.events.login --to-timestamp 2h",
)(replay)
app.add_typer(dlq, name="dlq")
app.add_typer(inbox, name="inbox")
app.add_typer(schema, name="schema")
app.add_typer(registry, name="registry")
_command(
    short_help="Run a Kafka and a registry for your own code.",
    epilog="Example: auth-events dev --registry-port 8081",
)(dev)
_command(
    short_help="Watch events flow through Kafka.",
    epilog="Example: auth-events demo --events 100000",
)(demo)


def run(arguments: Sequence[str]) -> int:
    """Run a command and say in one line what went wrong, if something did.

    Args:
        arguments: what stands after the command's name.
    """
    accept_any_letter()
    try:
        with _without_warnings():
            code = app(args=list(arguments), prog_name="auth-events", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        forget_output()
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
    """Libraries warn those who program, and those who run a command can do nothing about it."""
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.showwarning = lambda *_, **__: None
        yield


def _usage(error: BaseException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "auth-events"
    message = " ".join(error.format_message().split())  # type: ignore[attr-defined]  # typer's errors have it
    return f"{message.rstrip('.')} (see: {command} --help)"


def _report(line: str, exit_code: int) -> int:
    print(printable(f"auth-events: {line}"), file=sys.stderr)
    return exit_code
