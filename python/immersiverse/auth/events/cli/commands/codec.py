"""auth-events encode and decode: lines in, lines out."""

from __future__ import annotations

import base64
import sys
from contextlib import nullcontext
from typing import IO, TYPE_CHECKING, Any

import typer
from typer import Argument, Option

from immersiverse.auth.events.cli.options.events import EncodingOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.options.registry import RegistryOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.output import VERDICT, WRONG_USE, CommandFailed, warn, write_line
from immersiverse.auth.events.errors import DecodeError, InvalidEvent, InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from immersiverse.auth.events.serialization.serializer import SerializedEvent

STANDARD_INPUT = "-"
INPUT_FILE: str = Argument(
    STANDARD_INPUT, metavar="FILE", help="What to read; standard input unless given.", show_default=False
)


def encode(
    file: str = INPUT_FILE,
    *,
    encoding: EncodingOptions,
    topic: str = Option("", "--topic", metavar="TOPIC", help="The topic; the contract's unless given."),
    as_json: bool = Option(False, "--json", help="Whole messages: topic, key, headers and value."),
) -> None:
    """Turn events in JSON, one a line, into message values in base64.

    Takes the specification's minimal messages and full ones, and checks them against the contract: a field or
    value that it does not have is refused, with the closest name.
    """
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

    read = encoding.line_reader()
    with encoding.schema_ids() as schemas:
        serialize = AuthEventSerializer(schemas, format=encoding.format.value).serialize
        show = _message if as_json else _value
        _convert_lines(file, lambda line: show(serialize(read(line), topic=topic)))


def decode(file: str = INPUT_FILE, *, registry: RegistryOptions) -> None:
    """Turn message values in base64 or hexadecimal, one a line, into events in JSON.

    Detects Protobuf, Avro and JSON, and takes JSON as it stands, too. Without a registry, frames are read as
    Protobuf of this contract, whatever schema their id names.
    """
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
    from immersiverse.auth.events.serialization.text import event_line, value_from_text

    with registry.writer_schemas() as schemas:
        deserialize = AuthEventDeserializer(schemas).deserialize
        _convert_lines(file, lambda line: event_line(deserialize(value_from_text(line))))


def numbered_lines(source: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, without space around them, with their numbers from 1.

    A file that cannot be read is a CommandFailed at once, before anything else is done.
    """
    return _numbered(_opened(source))


def _numbered(opened: AbstractContextManager[IO[bytes]]) -> Iterator[tuple[int, bytes]]:
    with opened as lines:
        for number, line in enumerate(lines, 1):
            if stripped := line.strip():
                yield number, stripped


def _opened(source: str) -> AbstractContextManager[IO[bytes]]:
    if source == STANDARD_INPUT:
        if sys.stdin.isatty():
            warn("reading from the terminal; end with Ctrl-D")
        return nullcontext(sys.stdin.buffer)
    try:
        return open(source, "rb")  # noqa: PTH123 - closed where its lines are read
    except OSError as error:
        raise CommandFailed(f"cannot read {source}: {error.strerror}", WRONG_USE) from error


def _convert_lines(source: str, convert: Callable[[bytes], bytes]) -> None:
    """Convert line by line. A bad line is reported with its number, and the exit code is 1 at the end."""
    failed = False
    for number, line in numbered_lines(source):
        try:
            converted = convert(line)
        except (DecodeError, InvalidEvent, InvalidSchema) as error:
            warn(f"line {number}: {error}")
            failed = True
        else:
            write_line(converted)
    if failed:
        raise typer.Exit(VERDICT)


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
