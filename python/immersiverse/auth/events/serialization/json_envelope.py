"""The envelope of JSON messages: what stands beside the specification's three fields, by the descriptor.

Source: specification section 3 for the three fields; the Protobuf JSON mapping for all others, except that
``version`` is a JSON number. A field that the contract's envelope gains appears here by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.serialization.json_reading import fields_reader
from immersiverse.auth.events.serialization.json_writing import fields_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message

    from immersiverse.auth.events.serialization.json_values import Fill

EVENT_TYPE: Final = "eventType"
TIMESTAMP: Final = "timestamp"
PAYLOAD: Final = "payload"
"""The specification's three fields."""

NUMBERS: Final = frozenset({"version"})
"""The 64-bit fields of the envelope that are written as numbers."""


def envelope_fields(envelope: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields of every event, its time first, then in the order of their numbers; payloads are none."""
    payloads = envelope.oneofs_by_name[PAYLOAD].fields
    fields = sorted(envelope.fields, key=lambda field: (field.name != TIMESTAMP, field.number))
    return tuple(field for field in fields if field not in payloads)


def envelope_writer(envelope: Descriptor) -> Callable[[Message, dict[str, Any]], None]:
    """A function that adds to an object what an event holds beside its time and payload.

    It raises ValueError for what JSON cannot say.
    """
    _, *fields = envelope_fields(envelope)
    return fields_writer(envelope, fields, numbers=NUMBERS)


def envelope_reader(envelope: Descriptor) -> Fill:
    """A function that reads all but the payload of an object into an empty event.

    It raises MalformedPayload naming the field.
    """
    return fields_reader(envelope_fields(envelope))
