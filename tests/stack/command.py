"""scripts/stack: a real Apache Kafka and schema registry on this machine, without containers.

`up` prints shell lines for `eval "$(scripts/stack up)"`; the integration tests then use that stack.
Programs are downloaded once, with Maven, to the user's cache; ports are free ones; data goes with `down`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from stack import lifecycle, record
from stack.error import StackError
from stack.progress import say
from stack.record import Record
from stack.server import tail

KAFKA_VARIABLE = "AUTH_EVENTS_TEST_KAFKA"
REGISTRY_VARIABLE = "AUTH_EVENTS_TEST_REGISTRY"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 1 if the stack cannot do what was asked."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except StackError as error:
        say(f"stack: {error}")
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/stack", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    named = argparse.ArgumentParser(add_help=False)
    named.add_argument(
        "--name", default="default", help="which stack, if there are several (default: default)"
    )

    up = commands.add_parser(
        "up", parents=[named], help="start it, wait until it is ready, print where it is"
    )
    up.add_argument("--kafka", action="store_true", help="Kafka only, unless --registry is given too")
    up.add_argument("--registry", action="store_true", help="the registry only, unless --kafka is given too")
    up.add_argument("--brokers", type=int, default=1, metavar="N", help="how many Kafka brokers (default: 1)")
    up.add_argument("--json", action="store_true", help="print the whole record as JSON")
    up.set_defaults(run=_up)

    down = commands.add_parser("down", parents=[named], help="end what `up` started and remove its data")
    down.set_defaults(run=_down)
    commands.add_parser("status", help="list the stacks and their servers").set_defaults(run=_status)
    logs = commands.add_parser("logs", parents=[named], help="print the end of every server's log")
    logs.add_argument("--lines", type=int, default=50, metavar="N", help="how many lines each (default: 50)")
    logs.set_defaults(run=_logs)
    return parser


def _up(options: argparse.Namespace) -> int:
    everything = not (options.kafka or options.registry)
    running = lifecycle.up(
        options.name,
        brokers=options.brokers if everything or options.kafka else 0,
        with_registry=everything or options.registry,
    )
    answer = json.dumps(asdict(running), indent=2) if options.json else _exports(running)
    sys.stdout.write(f"{answer}\n")
    return 0


def _exports(running: Record) -> str:
    variables = {KAFKA_VARIABLE: running.kafka, REGISTRY_VARIABLE: running.registry}
    return "\n".join(f"export {name}={value}" for name, value in variables.items() if value)


def _down(options: argparse.Namespace) -> int:
    was_there = lifecycle.down(options.name)
    say(f"stack {options.name!r} is down" if was_there else f"no stack {options.name!r} was up")
    return 0


def _status(_options: argparse.Namespace) -> int:
    for name in record.names():
        running = record.load(name)
        for server in running.servers if running else ():
            state = "running" if server.process.is_running() else "DEAD"
            sys.stdout.write(
                f"{name}\t{server.name}\t{state}\tprocess {server.process.number}\t{server.log}\n"
            )
    if not record.names():
        say("no stack is up")
    return 0


def _logs(options: argparse.Namespace) -> int:
    running = record.load(options.name)
    if running is None:
        raise StackError(f"no stack {options.name!r} is up")
    for server in running.servers:
        sys.stdout.write(f"==> {server.name}: {server.log}\n{tail(Path(server.log), options.lines)}\n\n")
    return 0
