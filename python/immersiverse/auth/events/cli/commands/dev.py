"""auth-events dev, registry and simulate: a broker and a registry for one's own code, and events for it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import TYPE_CHECKING

from typer import Option

from immersiverse.auth.events.cli.commands import CommandGroup
from immersiverse.auth.events.cli.options.kafka import BOOTSTRAP_VARIABLE
from immersiverse.auth.events.cli.options.registry import REGISTRY_VARIABLE
from immersiverse.auth.events.cli.output import (
    WRONG_USE,
    CommandFailed,
    until_stopped,
    write_json,
    write_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from immersiverse.auth.events.simulation import SimulatedEvent
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_START = datetime(2025, 6, 2, 7, tzinfo=UTC)
_WELCOME = """\
Kafka            {bootstrap}
Schema Registry  {registry}
The contract is registered and its topics exist. Nothing is kept when this ends.

In other shells:
  export {kafka_variable}={bootstrap} {registry_variable}={registry}
  auth-events tail
  auth-events simulate | auth-events publish

In Python:
  from immersiverse.auth.events import AuthEventSerializer, Publisher, SchemaRegistry
  registry = SchemaRegistry("{registry}")
  publisher = Publisher({{"bootstrap.servers": "{bootstrap}"}}, serializer=AuthEventSerializer(registry))

Give subscribers "group.protocol": "consumer": with "classic" they wait here for up to a minute to join.

Stop with Ctrl-C."""


def dev(
    *,
    kafka_port: int = Option(
        0, "--kafka-port", metavar="PORT", min=0, max=65_535, help="Kafka's port; 0 for a free one."
    ),
    registry_port: int = Option(
        0, "--registry-port", metavar="PORT", min=0, max=65_535, help="The registry's port; 0 for a free one."
    ),
    brokers: int = Option(1, "--brokers", metavar="N", min=1, help="How many brokers."),
    as_json: bool = Option(False, "--json", help="Print the addresses as JSON."),
) -> None:
    """Run a Kafka and a Schema Registry in this process, with the contract registered, until stopped.

    Prints their addresses and how to use them. For one developer: nothing is kept, there are no passwords.
    lag and replay need a real Kafka, which can list its groups.
    """
    from immersiverse.auth.events.testing.fixed_port import fixed_port
    from immersiverse.auth.events.testing.stack import EmbeddedStack

    with (
        until_stopped() as stopped,
        EmbeddedStack(brokers=brokers, registry_port=registry_port) as stack,
        fixed_port(kafka_port, stack.bootstrap) as bootstrap,
    ):
        if as_json:
            write_json({"bootstrap": bootstrap, "registry": stack.registry_url})
        else:
            print(_welcome(bootstrap, stack.registry_url), flush=True)
        stopped.wait()


def _welcome(bootstrap: str, registry_url: str) -> str:
    variables = {"kafka_variable": BOOTSTRAP_VARIABLE, "registry_variable": REGISTRY_VARIABLE}
    return _WELCOME.format(bootstrap=bootstrap, registry=registry_url, **variables)


registry = CommandGroup("A Schema Registry of your own, for development.")


@registry.add(
    "serve",
    "Answer registry clients until stopped.",
    "auth-events registry serve --port 8081 --file registry.json",
)
def serve(
    *,
    port: int = Option(
        8081, "--port", "-p", metavar="PORT", min=0, max=65_535, help="The port; 0 for a free one."
    ),
    host: str = Option("127.0.0.1", "--host", help="Where to listen."),
    file: Path | None = Option(
        None, "--file", metavar="PATH", help="Keep what is registered in this file.", dir_okay=False
    ),
) -> None:
    """Run a Schema Registry in this process, until stopped.

    It checks compatibility by the rules of schema check, and asks for no credentials.
    """
    from immersiverse.auth.events.testing.registry import EmbeddedRegistry

    with until_stopped() as stopped, EmbeddedRegistry(host, port, file) as running:
        print(running.url, flush=True)
        stopped.wait()


def simulate(
    *,
    events: int = Option(100, "--events", "-n", metavar="N", min=0, help="How many events."),
    seed: int = Option(1, "--seed", "-s", metavar="S", help="Which stream; the same seed, the same events."),
    start: datetime = Option(
        _START, "--start", metavar="TIME", help="When it begins, in UTC.", formats=["%Y-%m-%dT%H:%M:%S"]
    ),
    labels: Path | None = Option(
        None,
        "--labels",
        metavar="FILE",
        dir_okay=False,
        help="Write there which events are part of an attack.",
    ),
) -> None:
    """Simulate events, one JSON object a line: users, logins, failures, attacks, platforms.

    Nothing in them is real: addresses are those reserved for documentation, mails go to example.com. A file
    of labels has the id, the attack's number and its kind of every event of an attack, to score detectors.
    """
    from immersiverse.auth.events.serialization.json.codec import write_json
    from immersiverse.auth.events.simulation import simulate_labelled

    simulated = simulate_labelled(seed, events, start=start.replace(tzinfo=UTC))
    write_lines(write_json(event) for event in _labelled(simulated, labels))


def _labelled(simulated: Iterable[SimulatedEvent], file: Path | None) -> Iterator[AuthEvent]:
    """The events; what is known about attacks goes to a file."""
    import orjson

    if file is None:
        yield from (event for event, _ in simulated)
        return
    try:
        with file.open("wb") as labels:
            for event, attack in simulated:
                if attack:
                    label = {"eventId": event.event_id, "attack": attack.number, "kind": attack.kind}
                    labels.write(orjson.dumps(label) + b"\n")
                yield event
    except OSError as error:
        raise CommandFailed(f"cannot write {file}: {error.strerror}", WRONG_USE) from error
