"""auth-events dev."""

from __future__ import annotations

from typing import Annotated

import typer

from immersiverse.auth.events.cli.kafka_options import BOOTSTRAP_VARIABLE
from immersiverse.auth.events.cli.output import write_json
from immersiverse.auth.events.cli.registry_options import VARIABLE as REGISTRY_VARIABLE

_WELCOME = """\
Kafka            {bootstrap}
Schema Registry  {registry}
The contract is registered and its topics exist. Everything is forgotten when this ends.

In other shells:
  export {kafka_variable}={bootstrap} {registry_variable}={registry}
  auth-events tail
  auth-events simulate | auth-events publish

In Python:
  from immersiverse.auth.events import AuthEventSerializer, Publisher, SchemaRegistry
  registry = SchemaRegistry("{registry}")
  publisher = Publisher({{"bootstrap.servers": "{bootstrap}"}}, serializer=AuthEventSerializer(registry))

Stop with Ctrl-C."""


def dev(
    *,
    registry_port: Annotated[
        int,
        typer.Option(
            "--registry-port",
            metavar="PORT",
            min=0,
            max=65_535,
            help="The registry's port; 0 for a free one.",
        ),
    ] = 0,
    brokers: Annotated[int, typer.Option("--brokers", metavar="N", min=1, help="How many brokers.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as JSON.")] = False,
) -> None:
    """Run a Kafka and a Schema Registry in this process, ready for the contract, until stopped.

    Prints their addresses, and what to do with them. It is for one developer: nothing is kept, and nobody is
    asked for a password. lag and replay need a real Kafka, which tells of its groups.
    """
    from immersiverse.auth.events.cli.foreground import until_stopped
    from immersiverse.auth.events.embedded.stack import EmbeddedStack

    with until_stopped() as stopped, EmbeddedStack(brokers=brokers, registry_port=registry_port) as stack:
        if as_json:
            write_json({"bootstrap": stack.bootstrap, "registry": stack.registry_url})
        else:
            print(_welcome(stack.bootstrap, stack.registry_url), flush=True)
        stopped.wait()


def _welcome(bootstrap: str, registry: str) -> str:
    return _WELCOME.format(
        bootstrap=bootstrap,
        registry=registry,
        kafka_variable=BOOTSTRAP_VARIABLE,
        registry_variable=REGISTRY_VARIABLE,
    )
