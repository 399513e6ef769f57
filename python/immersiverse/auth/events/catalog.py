"""What the contract says about itself, read from its descriptors: event types, topics, keys, personal data.

Nothing is listed twice: every fact comes from the options in ``options.proto`` as they are set in
``events.proto``.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from immersiverse.auth.events.v1 import events_pb2, options_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a payload, and what a producer must ensure about it.

    Attributes:
        name: its name in the .proto file, such as ``user_id``.
        json_name: its name in JSON, such as ``userId``.
        rules: the contract's rules for it (required, limits, format, personal data class).
        descriptor: its Protobuf descriptor.
    """

    name: str
    json_name: str
    rules: options_pb2.FieldRules
    descriptor: FieldDescriptor

    @property
    def personal_data(self) -> str:
        """The class of personal data it holds, such as ``network``; empty if none."""
        return PERSONAL_DATA[sensitivity(self.descriptor)]

    @property
    def type_name(self) -> str:
        """Its type as a .proto file writes it, without the package, such as ``repeated string``."""
        named = self.descriptor.message_type or self.descriptor.enum_type
        scalar = FieldDescriptorProto.Type.Name(FieldDescriptorProto.Type.ValueType(self.descriptor.type))
        name = named.name if named else scalar.removeprefix("TYPE_").lower()
        return f"repeated {name}" if self.descriptor.is_repeated else name

    @property
    def rule_texts(self) -> list[str]:
        """Its rules in words, such as ``at most 64 characters``."""
        rules, unit = self.rules, "items" if self.descriptor.is_repeated else "characters"
        form = options_pb2.Format.Name(rules.format).removeprefix("FORMAT_").lower().replace("_", " ")
        texts = {
            "required": rules.required,
            f"at most {rules.max_length} {unit}": rules.max_length,
            f"at least {rules.minimum:g}": rules.HasField("minimum"),
            f"at most {rules.maximum:g}": rules.HasField("maximum"),
            form: rules.format,
        }
        return [text for text, applies in texts.items() if applies]

    @property
    def values(self) -> list[str] | None:
        """The names of an enum's values, as JSON events have them; None for any other type."""
        enum = self.descriptor.enum_type
        return [value.name for value in enum.values] if enum else None


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event.

    Attributes:
        name: short name, the ``eventType`` of JSON messages, such as ``UserCreated``.
        full_name: Protobuf name, the ``ce_type`` of headers.
        payload_field: the envelope's field that carries it, such as ``user_created``.
        number: that field's number.
        topic: where its events travel.
        partition_key: names of the payload's fields for the key; the first one that is set gives it.
        message: the payload's class.
        fields: the payload's fields, in order of declaration.
    """

    name: str
    full_name: str
    payload_field: str
    number: int
    topic: str
    partition_key: tuple[str, ...]
    message: type[Message]
    fields: tuple[Field, ...]


def rules_of(field: FieldDescriptor) -> options_pb2.FieldRules:
    """The contract's rules for a field."""
    return field.GetOptions().Extensions[options_pb2.field]


PERSONAL_DATA: Final[tuple[str, ...]] = (
    "",
    *(
        name.removeprefix("PERSONAL_DATA_").lower()
        for name, number in options_pb2.PersonalData.items()
        if number not in (options_pb2.PERSONAL_DATA_UNSPECIFIED, options_pb2.PERSONAL_DATA_NONE)
    ),
)
"""The contract's classes of personal data: none, then from the least sensitive to the most."""


def sensitivity(field: FieldDescriptor) -> int:
    """The class of personal data that a field holds, as its place in ``PERSONAL_DATA``.

    A string or bytes whose class the contract does not state is taken for the most sensitive, and so is a
    class that this version does not know.
    """
    stated = rules_of(field).personal_data
    if stated == options_pb2.PERSONAL_DATA_NONE:
        return 0
    if stated == options_pb2.PERSONAL_DATA_UNSPECIFIED:
        is_text = field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
        return len(PERSONAL_DATA) - 1 if is_text else 0
    return min(stated, len(PERSONAL_DATA) - 1)


def _payload(payload_field: FieldDescriptor) -> Descriptor:
    assert payload_field.message_type is not None  # noqa: S101 - every payload field is a message
    return payload_field.message_type


def _event_type(payload_field: FieldDescriptor) -> EventType:
    payload = _payload(payload_field)
    options = payload.GetOptions().Extensions[options_pb2.event]
    return EventType(
        name=payload.name,
        full_name=payload.full_name,
        payload_field=payload_field.name,
        number=payload_field.number,
        topic=options.topic,
        partition_key=tuple(options.partition_key),
        message=message_factory.GetMessageClass(payload),
        fields=tuple(Field(f.name, f.json_name, rules_of(f), f) for f in payload.fields),
    )


CONTRACT_FILE: Final = FileDescriptorProto.FromString(events_pb2.DESCRIPTOR.serialized_pb)
"""The contract file of this version, as registries know it."""

OPTIONS_FILE: Final = FileDescriptorProto.FromString(options_pb2.DESCRIPTOR.serialized_pb)
"""The file of the contract's options, its only reference in a registry. Its subject is its path."""

_CONTRACT = events_pb2.DESCRIPTOR.GetOptions().Extensions[options_pb2.contract]
_PAYLOAD_FIELDS = events_pb2.AuthEvent.DESCRIPTOR.oneofs_by_name["payload"].fields

EVENT_TYPES: Final[Mapping[str, EventType]] = MappingProxyType(
    {_payload(payload_field).name: _event_type(payload_field) for payload_field in _PAYLOAD_FIELDS}
)
"""Every event type by its short name, in the order of the contract."""

BY_PAYLOAD_FIELD: Final[Mapping[str, EventType]] = MappingProxyType(
    {e.payload_field: e for e in EVENT_TYPES.values()}
)
"""Every event type by the envelope's field that carries it."""

BY_MESSAGE: Final[Mapping[type[Message], EventType]] = MappingProxyType(
    {e.message: e for e in EVENT_TYPES.values()}
)
"""Every event type by its payload's class."""

TOPICS: Final[tuple[str, ...]] = tuple(dict.fromkeys(e.topic for e in EVENT_TYPES.values()))
"""The topics that carry events, in the order of the contract."""

SINGLE_TOPIC: Final[str] = _CONTRACT.single_topic
"""The topic that carries every event in single-topic mode."""

DEAD_LETTER_TOPIC: Final[str] = _CONTRACT.dead_letter_topic
"""The topic of messages that a consumer could not process."""


DEFAULT_SOURCE: Final[str] = _CONTRACT.default_source
"""The source of events without one."""


def find(event_type: str) -> EventType | None:
    """The event type of a short or full name, or None if the contract has no such type."""
    return EVENT_TYPES.get(str(event_type).removeprefix(f"{events_pb2.DESCRIPTOR.package}."))
