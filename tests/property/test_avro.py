"""What holds of every event and of every message in Avro."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from typing import Any

import fastavro
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    field_mask_pb2,
    timestamp_pb2,
)
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

import strategies
from immersiverse.auth.events.errors import DecodeError
from immersiverse.auth.events.serialization.avro import encoder, reader, schema_text
from immersiverse.auth.events.serialization.avro.records import record_reader, record_writer
from immersiverse.auth.events.serialization.avro.schema import record_schema
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.schemas import PinnedSchemas, WriterSchema
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

SCHEMAS = PinnedSchemas(protobuf=1, avro=2)
SERIALIZE = AuthEventSerializer(SCHEMAS, format="avro")
DESERIALIZE = AuthEventDeserializer(SCHEMAS)
ENCODE, DECODE = encoder(), reader(None, 2)


def through_library(schema: Any, data: bytes) -> bytes:
    """What an Avro library writes of what it read."""
    source = io.BytesIO(data)
    record = fastavro.schemaless_reader(source, schema, None, return_named_type=True)
    assert source.read() == b""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


@given(strategies.events())
def test_any_valid_event_survives_being_framed(event: AuthEvent) -> None:
    assert DESERIALIZE(SERIALIZE(event)) == event


@given(strategies.events(step=strategies.NANOSECOND))
def test_writing_again_what_was_read_gives_the_same_bytes(event: AuthEvent) -> None:
    data = ENCODE(event)
    found = DECODE(data)
    assert isinstance(found, AuthEvent)
    assert ENCODE(found) == data


@given(strategies.events())
def test_an_avro_library_reads_any_event_and_writes_the_same_bytes(event: AuthEvent) -> None:
    # without logical types, since Python's datetime ends before the contract's times do
    plain = fastavro.parse_schema(without_logical_types(json.loads(schema_text())))
    assert through_library(plain, ENCODE(event)) == ENCODE(event)


def without_logical_types(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    return [without_logical_types(each) for each in schema] if isinstance(schema, list) else schema


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with_refusal(data)


@given(strategies.events(), st.data())
def test_any_damage_to_an_event_is_read_or_refused(event: AuthEvent, data: st.DataObject) -> None:
    damaged = bytearray(ENCODE(event))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with_refusal(bytes(damaged))


def with_refusal(data: bytes) -> None:
    """Read what may be refused, but in no other way than with an error of the tree."""
    try:
        found = DECODE(data)
    except DecodeError:
        return
    assert isinstance(found, AuthEvent)  # the schema is this contract's, so no type is unknown
    ENCODE(found)  # what was read can be written


@given(strategies.events(), st.randoms(use_true_random=False))
def test_fields_in_any_order_mean_the_same(event: AuthEvent, random: Any) -> None:
    schema = json.loads(schema_text())
    plain = without_logical_types(schema)
    record: Any = fastavro.schemaless_reader(io.BytesIO(ENCODE(event)), plain, None, return_record_name=True)
    payloads = schema["fields"][-1]["type"]
    branch = next(each for each in payloads if each["name"] == record["payload"][0].rpartition(".")[2])
    # only scalar fields move: a type must stay declared before it is named
    movable = [each for each in branch["fields"] if isinstance(each["type"], str) and "." not in each["type"]]
    rest = [each for each in branch["fields"] if each not in movable]
    random.shuffle(movable)
    branch["fields"] = movable + rest
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(without_logical_types(schema)), record)
    assert reader(WriterSchema("AVRO", text=json.dumps(schema)), 3)(out.getvalue()) == event


def every_kind_of_field() -> Descriptor:
    """A message type with every scalar, alone, repeated and optional.

    Without those of 64 bits without a sign, most of whose numbers Avro cannot hold.
    """
    file = descriptor_pb2.FileDescriptorProto(name="test/every.proto", package="test.every", syntax="proto3")
    imported = (duration_pb2, field_mask_pb2, timestamp_pb2)
    file.dependency.extend(module.DESCRIPTOR.name for module in imported)
    color = file.enum_type.add(name="Color")
    color.options.allow_alias = True
    for name, number in (("NONE", 0), ("RED", -7), ("CRIMSON", -7), ("BLUE", 2_000_000_000)):
        color.value.add(name=name, number=number)
    message = file.message_type.add(name="Every")
    scalars = [
        (name.removeprefix("TYPE_").lower(), value, "")
        for name, value in FieldDescriptorProto.Type.items()
        if name not in ("TYPE_ENUM", "TYPE_GROUP", "TYPE_MESSAGE", "TYPE_FIXED64", "TYPE_UINT64")
    ]
    typed = [
        ("color", FieldDescriptorProto.TYPE_ENUM, ".test.every.Color"),
        ("time", FieldDescriptorProto.TYPE_MESSAGE, ".google.protobuf.Timestamp"),
        ("duration", FieldDescriptorProto.TYPE_MESSAGE, ".google.protobuf.Duration"),
    ]
    for name, kind, type_name in [*scalars, *typed]:
        add_field(message, f"a_{name}", kind, type_name)
        add_field(message, f"some_{name}", kind, type_name, repeated=True)
    add_field(message, "mask", FieldDescriptorProto.TYPE_MESSAGE, ".google.protobuf.FieldMask")
    for name, kind, type_name in [*scalars, typed[0]]:
        message.oneof_decl.add(name=f"_maybe_{name}")
        field = add_field(message, f"maybe_{name}", kind, type_name)
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl) - 1
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    return descriptor_pool.Default().FindMessageTypeByName("test.every.Every")


def add_field(
    message: descriptor_pb2.DescriptorProto,
    name: str,
    kind: Any,
    type_name: str = "",
    *,
    repeated: bool = False,
) -> FieldDescriptorProto:
    label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
    return message.field.add(
        name=name, number=len(message.field) + 1, type=kind, type_name=type_name or None, label=label
    )


EVERY = every_kind_of_field()
EVERY_SCHEMA = fastavro.parse_schema(record_schema(EVERY))


def written(message: Message, schema: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record_writer(message.DESCRIPTOR)(message))
    return out.getvalue()


def read(data: bytes, schema: Any, descriptor: Descriptor) -> Message:
    record: Any = fastavro.schemaless_reader(
        io.BytesIO(data), schema, None, return_named_type=True, return_named_type_override=True
    )
    found: Message = record_reader(descriptor)(record)
    return found


@given(strategies.messages(EVERY, step=strategies.MICROSECOND, known_enums=True))
def test_messages_of_every_kind_of_field_survive(message: Message) -> None:
    found = read(written(message, EVERY_SCHEMA), EVERY_SCHEMA, EVERY)
    # as text, since no NaN equals another
    assert str(found) == str(message)


TYPES = st.recursive(
    st.sampled_from(
        ["null", "boolean", "int", "long", "string", "bytes", "double", "R", "Missing", "", None, 7]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"type": st.just("map"), "values": inner}),
        st.fixed_dictionaries({"type": inner}),
        st.builds(
            lambda name, kinds: {
                "type": "record",
                "name": name,
                "fields": [{"name": f"f{number}", "type": kind} for number, kind in enumerate(kinds)],
            },
            st.sampled_from(["R", "S", "T", 1]),
            st.lists(inner, max_size=3),
        ),
        st.fixed_dictionaries(
            {
                "type": st.just("fixed"),
                "name": st.just("F"),
                "size": st.sampled_from([-1, 0, 2, 1 << 40, "x"]),
            }
        ),
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(["long", "int", "bytes", "string"]),
                "logicalType": st.sampled_from(["timestamp-millis", "date", "decimal", "uuid", "duration"]),
                "precision": st.sampled_from([0, 4, 1 << 30]),
                "scale": st.sampled_from([0, 2, 1 << 20]),
            }
        ),
    ),
    max_leaves=12,
)


@given(TYPES, st.binary(max_size=60))
def test_any_schema_of_a_writer_is_read_by_or_refused(kind: Any, data: bytes) -> None:
    schema = json.loads(schema_text())
    schema["fields"].insert(0, {"name": "extra", "type": kind})
    with suppress(DecodeError):
        reader(WriterSchema("AVRO", text=json.dumps(schema)), 3)(data)
