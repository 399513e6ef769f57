"""auth-events encode."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.choices import EventFormat
from immersiverse.auth.events.cli.json_events import read_event
from immersiverse.auth.events.cli.lines import STANDARD_INPUT, InputFile, convert_lines
from immersiverse.auth.events.cli.registry_options import (
    RegistrySettings,  # noqa: TC001 - typer reads annotations
    RegistryUrl,  # noqa: TC001 - typer reads annotations
)
from immersiverse.auth.events.cli.schema_ids import PinnedId, schema_ids

if TYPE_CHECKING:
    from immersiverse.auth.events.serialization.serialized import SerializedEvent


def encode(
    file: InputFile = STANDARD_INPUT,
    *,
    format: Annotated[  # noqa: A002 - the option's name
        EventFormat, typer.Option("--format", "-f", help="How to write them.")
    ] = EventFormat.PROTOBUF,
    topic: Annotated[
        str,
        typer.Option("--topic", metavar="TOPIC", help="Where they go; where the contract says unless given."),
    ] = "",
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
    schema_id: PinnedId = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Whole messages: topic, key, headers and value.")
    ] = False,
) -> None:
    """Turn events in JSON, one a line, into the bytes that travel, in base64.

    Takes the specification's minimal messages and full ones, and holds them to the contract.
    """
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

    with schema_ids(format, schema_id, registry, registry_config) as schemas:
        serialize = AuthEventSerializer(schemas, format=format.value).serialize
        show = _message if as_json else _value
        convert_lines(file, lambda line: show(serialize(read_event(line), topic=topic)))


def _value(message: SerializedEvent) -> bytes:
    return base64.b64encode(message.value)


def _message(message: SerializedEvent) -> bytes:
    import orjson

    document: dict[str, Any] = {
        "topic": message.topic,
        "key": message.key.decode(),
        "headers": [[name, value.decode()] for name, value in message.headers],
        "value": base64.b64encode(message.value).decode(),
    }
    return orjson.dumps(document)
