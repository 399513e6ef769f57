"""auth-events encode."""

from __future__ import annotations

import base64
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.choices import EventFormat
from immersiverse.auth.events.cli.lines import STANDARD_INPUT, InputFile, convert_lines
from immersiverse.auth.events.cli.registry_options import RegistrySettings, RegistryUrl, connected
from immersiverse.auth.events.errors import InvalidEvent

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from immersiverse.auth.events.serialization.schemas import SchemaIds
    from immersiverse.auth.events.serialization.serialized import SerializedEvent
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


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
    schema_id: Annotated[
        int | None,
        typer.Option(
            "--schema-id", metavar="ID", min=0, help="The id for frames; no registry is asked then."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Whole messages: topic, key, headers and value.")
    ] = False,
) -> None:
    """Turn events in JSON, one a line, into the bytes that travel, in base64.

    Takes the specification's minimal messages and full ones, and holds them to the contract.
    """
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

    with _schemas(format, schema_id, registry, registry_config) as schemas:
        serialize = AuthEventSerializer(schemas, format=format.value).serialize
        show = _message if as_json else _value
        convert_lines(file, lambda line: show(serialize(_event(line), topic=topic)))


def _schemas(
    format: EventFormat,  # noqa: A002 - the option's name
    schema_id: int | None,
    url: str | None,
    settings: list[str] | None,
) -> AbstractContextManager[SchemaIds | None]:
    if format is EventFormat.JSON:
        return nullcontext()
    if schema_id is None:
        return connected(url, settings)
    from immersiverse.auth.events.serialization.pinned import PinnedSchemas

    return nullcontext(PinnedSchemas(protobuf=schema_id, avro=schema_id))


def _event(line: bytes) -> AuthEvent:
    from immersiverse.auth.events.events import payload_of
    from immersiverse.auth.events.serialization.json import read_json
    from immersiverse.auth.events.serialization.unknown import UnknownEvent
    from immersiverse.auth.events.validation import validate

    event = read_json(line)
    if isinstance(event, UnknownEvent):
        raise InvalidEvent(event.event_type, "", "is no event type of this contract")
    payload = payload_of(event)
    validate(payload)
    validate(event, payload.DESCRIPTOR.name)
    return event


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
