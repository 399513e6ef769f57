"""Protobuf payloads: the envelope's own bytes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from immersiverse.auth.events.errors import InvalidSchema, MalformedPayload, RegistryError, WrongSchema
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.serialization.schemas import WriterSchema
    from immersiverse.auth.events.serialization.unknown import Decoded, Reader

    ReadPayload = Callable[[int, bytes], dict[str, Any]]

_ENVELOPE = AuthEvent.DESCRIPTOR.full_name
_ONEOF = AuthEvent.DESCRIPTOR.oneofs_by_name["payload"].name
_FIRST_PAYLOAD = min(field.number for field in AuthEvent.DESCRIPTOR.oneofs_by_name[_ONEOF].fields)
_LENGTH_DELIMITED = 2
_UNFIT = (ProtobufDecodeError, json_format.Error, KeyError, TypeError, ValueError)


def reader(writer: WriterSchema | None, schema_id: int | str) -> Reader:
    """A reader of events of known types, and of others by their writer's schema.

    Raises:
        WrongSchema: if that schema's first message is not the envelope.
    """
    types: dict[int, str] = {}
    if writer is not None and not writer.assumed:
        types = _payload_types(_written_by(writer, schema_id))
    read_payload = _payload_reader(writer)

    def read(payload: bytes) -> Decoded:
        event = _parse(payload)
        return event if event.WhichOneof("payload") else _unknown(event, types, read_payload)

    return read


def _parse(payload: bytes) -> AuthEvent:
    try:
        return AuthEvent.FromString(payload)
    except ProtobufDecodeError as error:
        raise MalformedPayload(f"not a valid Protobuf message: {error}") from error


def _written_by(writer: WriterSchema, schema_id: int | str) -> descriptor_pb2.DescriptorProto:
    """The envelope as its writer's schema declares it."""
    file = writer.file
    if file is None or not file.message_type:
        raise WrongSchema(schema_id, f"a {writer.schema_type} schema without messages")
    envelope = file.message_type[0]
    found = f"{file.package}.{envelope.name}".lstrip(".")
    if found != _ENVELOPE:
        raise WrongSchema(schema_id, f"message {found}")
    return envelope


def _payload_types(envelope: descriptor_pb2.DescriptorProto) -> dict[int, str]:
    """The names of payload types by their field's number, as an envelope declares them."""
    indexes = [index for index, oneof in enumerate(envelope.oneof_decl) if oneof.name == _ONEOF]
    return {
        field.number: field.type_name.lstrip(".")
        for field in envelope.field
        if field.HasField("oneof_index") and field.oneof_index in indexes
    }


def _unknown(event: AuthEvent, types: dict[int, str], read: ReadPayload) -> UnknownEvent:
    """The event whose payload is among the envelope's unknown fields; the last counts, as in any oneof."""
    number, payload = 0, b""
    for field in UnknownFieldSet(event):  # type: ignore[attr-defined]  # its stub forgets that it iterates
        is_payload = field.field_number in types if types else field.field_number >= _FIRST_PAYLOAD
        if is_payload and field.wire_type == _LENGTH_DELIMITED:
            number, payload = field.field_number, field.data
    if not number:
        raise MalformedPayload("the event carries no payload", "payload")
    short_name = types.get(number, "").rpartition(".")[2] or f"#{number}"
    return UnknownEvent(short_name, event, payload, "protobuf", lambda: read(number, payload))


def _payload_reader(writer: WriterSchema | None) -> ReadPayload:
    """Reads payloads by their field's number, as their writer declares them."""

    @cache
    def message_class(number: int) -> Any:
        if writer is None or writer.assumed:
            raise MalformedPayload("only its writer's schema describes it: use a schema registry", "payload")
        try:
            file = writer.descriptor()
        except (InvalidSchema, RegistryError) as error:
            raise MalformedPayload(f"its writer's schema cannot be used: {error}", "payload") from error
        full_name = _payload_types(file.message_type[0]).get(number)
        if not full_name:
            raise MalformedPayload("its writer's schema does not describe it", "payload")
        return _message_class(full_name, file)

    def read(number: int, payload: bytes) -> dict[str, Any]:
        try:
            return json_format.MessageToDict(message_class(number).FromString(payload))
        except _UNFIT:  # whose text quotes values
            raise MalformedPayload("does not fit its writer's schema", "payload") from None

    return read


def _message_class(full_name: str, file: descriptor_pb2.FileDescriptorProto) -> Any:
    """The class of a message that only its writer's schema knows, in a pool of its own."""
    pool = descriptor_pool.DescriptorPool()

    def add(name: str) -> None:
        known = descriptor_pool.Default().FindFileByName(name)
        for dependency in known.dependencies:
            add(dependency.name)
        pool.AddSerializedFile(known.serialized_pb)

    for name in file.dependency:
        add(name)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(full_name))
