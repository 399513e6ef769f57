"""From a Kafka message to an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka.serialization import Deserializer
from google.protobuf.message import DecodeError as ProtobufDecodeError

from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.errors import ConfigurationError, MalformedFrame, UnknownFormat, WrongSchema
from immersiverse.auth.events.serialization.codec import READERS
from immersiverse.auth.events.serialization.headers import headers_of
from immersiverse.auth.events.serialization.json.codec import read_json
from immersiverse.auth.events.serialization.schemas import PinnedSchemas, WriterSchema
from immersiverse.auth.events.serialization.wire import (
    FIRST_MESSAGE,
    MAGIC,
    SCHEMA_ID_END,
    frame_prefix,
    header_pairs,
    named_schema,
    read_header,
    read_indexes,
    read_schema_id,
    schema_header,
)
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Iterator

    from confluent_kafka.serialization import SerializationContext

    from immersiverse.auth.events.serialization.headers import Received
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchemas
    from immersiverse.auth.events.serialization.unknown import Decoded, Reader

    M = TypeVar("M", bound=Received)

_PREFIX = len(frame_prefix(0))
_REMEMBERED = 1024  # schema ids; a contract has a few, an attacker has four billion
_JSON_START = b"{"
_JSON_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
# Methods of the class: an event looks for them among its fields first, a tenth of the time of reading it.
_parse = AuthEvent.FromString
_which = AuthEvent.WhichOneof


class AuthEventDeserializer(Deserializer):
    """Reads events of any format, alone or as ``value.deserializer`` of Confluent's DeserializingConsumer.

    One deserializer serves any number of threads.

    Args:
        schemas: where writers' schemas come from: a ``SchemaRegistry``, or ``PinnedSchemas``. Before a schema
            id is trusted, its schema is checked once. Without it, JSON is read, and every frame is read as
            Protobuf of this contract, whatever its id.

    Raises:
        ConfigurationError: if `schemas` is neither.
    """

    def __init__(self, schemas: WriterSchemas | None = None) -> None:
        if schemas is not None and not hasattr(schemas, "writer_schema"):
            raise ConfigurationError("schemas", "give a SchemaRegistry or PinnedSchemas")
        self._schemas = schemas
        self._readers: dict[int | uuid.UUID, tuple[bool, Reader]] = {}
        self._wrong: dict[int | uuid.UUID, WrongSchema] = {}
        # How Protobuf frames begin whose schema was checked: magic byte, schema id and index.
        self._checked: set[bytes] = set()

    def trust(self, schema_id: int) -> None:
        """Take frames with this id for this contract's Protobuf, without asking for its schema."""
        schema = WriterSchema("PROTOBUF", CONTRACT_FILE, assumed=True)
        self._readers[schema_id] = True, READERS["PROTOBUF"](schema, schema_id)
        self._checked.add(frame_prefix(schema_id))

    def __call__(self, value: bytes | None, ctx: SerializationContext | None = None) -> Decoded | None:
        """The event in a message's value; headers of `ctx` (Confluent's interface) may name its schema.

        Returns and raises as `deserialize` does.
        """
        if type(value) is bytes and value[:_PREFIX] in self._checked:
            try:
                event = _parse(value[_PREFIX:])
                if _which(event, "payload"):
                    return event
            except ProtobufDecodeError:  # deserialize raises what it means
                pass
        return self.deserialize(value, headers=getattr(ctx, "headers", None) or ())

    def read(self, message: Received) -> tuple[Decoded | None, str]:
        """The event in a message of Confluent's consumer, and the envelope's field that carries its payload.

        The name of the field is empty for unknown events and tombstones. For loops over many messages, which
        want both. Raises as `deserialize` does.
        """
        ((_, event, payload_field),) = self.read_known((message,))
        if event is not None:
            return event, payload_field
        decoded = self.deserialize(message.value(), headers=headers_of(message), key=message.key())
        return decoded, (decoded.WhichOneof("payload") or "") if isinstance(decoded, AuthEvent) else ""

    def read_known(self, messages: Iterable[M]) -> Iterator[tuple[M, AuthEvent | None, str]]:
        """`read` for many messages, each as it is taken, without waiting for a registry.

        Yields:
            A message, its event and its payload field, if its schema is known and its type is of this
            contract. Else None and the empty string, which mean that `read` must be called.
        """
        checked = self._checked
        for message in messages:
            value = message.value()
            if type(value) is bytes and value[:_PREFIX] in checked:
                try:
                    event = _parse(value[_PREFIX:])
                except ProtobufDecodeError:  # `read` raises what it means
                    pass
                else:
                    if payload_field := _which(event, "payload"):
                        yield message, event, payload_field
                        continue
            yield message, None, ""

    def may_wait(self, message: Received) -> bool:
        """Whether `read` of a message may wait for a registry, since its schema is not known yet."""
        value = message.value()
        if self._schemas is None or isinstance(self._schemas, PinnedSchemas):
            return False
        if not value or value[:_PREFIX] in self._checked:
            return False
        try:
            schema_id = named_schema(value, headers_of(message))
        except MalformedFrame:
            return False
        return not (schema_id is None or schema_id in self._readers or schema_id in self._wrong)

    def deserialize(
        self,
        value: bytes | None,
        *,
        headers: Iterable[tuple[str, Any]] | dict[str, Any] = (),
        key: bytes | None = None,
    ) -> Decoded | None:
        """The event in a message, with its headers and key.

        Args:
            value: the value; None is a tombstone.
            headers: the message's headers: one may name the schema.
            key: the message's key, for the id of a JSON event without one.

        Returns:
            An AuthEvent, an UnknownEvent if its type is newer than this contract, or None for a tombstone.

        Raises:
            DecodeError: if it cannot be read, ever.
            RegistryError: if its schema is not known yet and cannot be had.
        """
        if value is None:
            return None
        if not isinstance(value, bytes | bytearray | memoryview):
            raise UnknownFormat(f"a message's value is bytes, not {type(value).__name__}")
        value, pairs = bytes(value), header_pairs(headers)
        header = schema_header(pairs)
        if header is not None:
            guid, indexes = read_header(header)
            return self._read_payload(guid, value, indexes)
        if not value:
            raise MalformedFrame("the value is empty; a tombstone has no value (null)")
        if value[0] == MAGIC:
            return self._read_payload(read_schema_id(value), value[SCHEMA_ID_END:])
        start = value.removeprefix(_BOM).lstrip(_JSON_BLANK)[:1]
        if start == _JSON_START:
            return read_json(value, key, pairs)
        if start == b"[":
            raise UnknownFormat("a JSON list: batches of CloudEvents are not read, send each in a message")
        raise UnknownFormat(f"neither a frame (00) nor a JSON object ({{): begins with {value[:1].hex()}")

    def _read_payload(self, schema_id: int | uuid.UUID, data: bytes, indexes: bytes = b"") -> Decoded:
        """The event in what follows a schema id; message indexes begin it, unless its header had them."""
        has_indexes, read = self._reader(schema_id)
        if not has_indexes:
            return read(data)
        found, end = read_indexes(indexes or data, 0)
        if found != FIRST_MESSAGE:
            raise WrongSchema(_text(schema_id), f"message {'.'.join(map(str, found))} of its file")
        if isinstance(schema_id, int) and len(self._checked) < _REMEMBERED:
            self._checked.add(frame_prefix(schema_id))
        return read(data if indexes else data[end:])

    def _reader(self, schema_id: int | uuid.UUID) -> tuple[bool, Reader]:
        """Whether a schema's frames have message indexes, and their reader, made at first use."""
        known = self._readers.get(schema_id)
        if known is not None:
            return known
        if schema_id in self._wrong:  # checking a large schema again would cost seconds a message
            raise WrongSchema(self._wrong[schema_id].schema_id, self._wrong[schema_id].found)
        try:
            known = self._new_reader(schema_id)
        except WrongSchema as error:
            if len(self._wrong) < _REMEMBERED:
                self._wrong[schema_id] = error
            raise
        if len(self._readers) < _REMEMBERED:
            self._readers[schema_id] = known
        return known

    def _new_reader(self, schema_id: int | uuid.UUID) -> tuple[bool, Reader]:
        writer = self._schemas.writer_schema(schema_id) if self._schemas is not None else None
        schema_type: SchemaType = writer.schema_type if writer is not None else "PROTOBUF"
        if schema_type not in READERS:
            raise WrongSchema(_text(schema_id), f"a {schema_type} schema")
        return schema_type == "PROTOBUF", READERS[schema_type](writer, _text(schema_id))


def _text(schema_id: int | uuid.UUID) -> int | str:
    return schema_id if isinstance(schema_id, int) else str(schema_id)
