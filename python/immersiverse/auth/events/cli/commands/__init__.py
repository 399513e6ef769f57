"""The table of commands. A command's module is imported when the command is called, so that help is quick."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from immersiverse.auth.events.cli.options import with_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_KAFKA: Final = "localhost:9092"
_REGISTRY: Final = "http://localhost:8081"


class CommandEntry(NamedTuple):
    """A command: its module, which has a function or group of its name, and what help says of it."""

    module: str
    summary: str
    example: str = ""


COMMANDS: Final[Mapping[str, CommandEntry]] = {
    "catalog": CommandEntry(
        "catalog", "Show all events, with their topics and keys.", "auth-events catalog LoginFailed"
    ),
    "simulate": CommandEntry(
        "dev",
        "Simulate a realistic stream of events.",
        "auth-events simulate --events 1000 --seed 7 > events.jsonl",
    ),
    "encode": CommandEntry(
        "codec",
        "Turn JSON into message values.",
        f"auth-events simulate --events 3 | auth-events encode --registry {_REGISTRY}",
    ),
    "decode": CommandEntry(
        "codec", "Turn message values into JSON.", f"auth-events decode frames.txt --registry {_REGISTRY}"
    ),
    "publish": CommandEntry(
        "publish",
        "Publish events in JSON to Kafka.",
        f"auth-events simulate | auth-events publish -b {_KAFKA} --registry {_REGISTRY}",
    ),
    "tail": CommandEntry(
        "tail",
        "Show events as they arrive.",
        f"auth-events tail -b {_KAFKA} --type LoginFailed --redact network",
    ),
    "lag": CommandEntry("groups", "Show the lag of consumer groups.", f"auth-events lag -b {_KAFKA} --watch"),
    "replay": CommandEntry(
        "groups",
        "Reset a consumer group's offsets, to read events again.",
        f"auth-events replay -b {_KAFKA} -g analytics -t auth.events.login --to-timestamp 2h",
    ),
    "topics": CommandEntry("topics", "Create the contract's topics, and keep them as they should be."),
    "dlq": CommandEntry("dlq", "List, show and redrive dead letters."),
    "inbox": CommandEntry("inbox", "What consumers remember of events that they handled."),
    "outbox": CommandEntry("outbox", "Relay, watch and maintain an outbox."),
    "deploy": CommandEntry("deploy", "Write the dashboards and alert rules to a folder."),
    "schema": CommandEntry("schema", "Register, list, show and check schemas."),
    "registry": CommandEntry("dev", "A Schema Registry for development."),
    "dev": CommandEntry(
        "dev",
        "Run a Kafka and a registry for development.",
        "auth-events dev --kafka-port 9092 --registry-port 8081",
    ),
    "new": CommandEntry("new", "Begin a service: code, tests, Dockerfile."),
    "demo": CommandEntry("demo", "Watch events flow through Kafka.", "auth-events demo --events 100000"),
}


class LazyCommands(TyperGroup):
    """The group of all commands in the table."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name) for name in COMMANDS}  # names, to suggest one for a typo

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, with its module imported; None if there is none."""
        del ctx
        return _loaded(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the table, without importing any command."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


def _loaded(name: str) -> Any:
    entry = COMMANDS[name]
    found = getattr(import_module(f"{__name__}.{entry.module}"), name)
    if not isinstance(found, typer.Typer):
        function, found = found, _plain()
        found.command(name, short_help=entry.summary, epilog=f"Example: {entry.example}")(
            with_options(function)
        )
    return get_command(found)


class CommandGroup(typer.Typer):
    """A group of commands, and what they are for; without a command it prints its help."""

    def __init__(self, purpose: str) -> None:
        super().__init__(rich_markup_mode=None, add_completion=False, help=purpose)
        self.callback(invoke_without_command=True)(help_without_command)

    def add(self, name: str, summary: str, example: str) -> Callable[[Callable[..., None]], None]:
        """Add the decorated function as a command, with an example of its use."""

        def register(function: Callable[..., None]) -> None:
            self.command(name, short_help=summary, epilog=f"Example: {example}")(with_options(function))

        return register


def help_without_command(context: typer.Context) -> None:
    """Print the help if no command follows."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def _plain() -> typer.Typer:
    return typer.Typer(rich_markup_mode=None, add_completion=False)
