"""auth-events dev."""

from __future__ import annotations

from typing import Annotated

import typer

from immersiverse.auth.events.cli.output import write_json
from immersiverse.auth.events.cli.registry_options import VARIABLE

_WELCOME = """\
Kafka            {bootstrap}
Schema Registry  {registry}
The contract is registered and its topics exist. Everything is forgotten when this ends.

In another shell:
  export {variable}={registry}
  auth-events schema list
  auth-events simulate --events 3 | auth-events encode | auth-events decode

In Python:
  from confluent_kafka import Producer
  from immersiverse.auth.events import AuthEventSerializer, SchemaRegistry
  producer = Producer({{"bootstrap.servers": "{bootstrap}"}})
  serializer = AuthEventSerializer(SchemaRegistry("{registry}"))

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
    """Run a Kafka and a Schema Registry in this process, ready for the contract, until stopped."""
    from immersiverse.auth.events.cli.foreground import until_stopped
    from immersiverse.auth.events.embedded.stack import EmbeddedStack

    with until_stopped() as stopped, EmbeddedStack(brokers=brokers, registry_port=registry_port) as stack:
        if as_json:
            write_json({"bootstrap": stack.bootstrap, "registry": stack.registry_url})
        else:
            welcome = _WELCOME.format(
                bootstrap=stack.bootstrap, registry=stack.registry_url, variable=VARIABLE
            )
            print(welcome, flush=True)
        stopped.wait()
