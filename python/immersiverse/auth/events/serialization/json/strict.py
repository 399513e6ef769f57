"""Unknown names in JSON events that people write: a reader skips them, a producer must not lose them.

Source: the Protobuf JSON mapping, by which a parser refuses unknown names unless it is asked to ignore them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent
from immersiverse.auth.events.serialization.json.codec import envelope_fields
from immersiverse.auth.events.serialization.json.documents import (
    EVENT_TYPE,
    PAYLOAD,
    in_specification_form,
    parse_object,
)
from immersiverse.auth.events.suggestions import closest_name
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

_ENVELOPE: Final = envelope_fields(AuthEvent.DESCRIPTOR)


def require_known_names(line: bytes) -> None:
    """Refuse a JSON event with a field, event type or enum value that the contract does not have.

    What else is wrong with an object is left to the reader.

    Raises:
        InvalidEvent: with the path in the event, and the closest name.
        MalformedPayload: if it is no JSON object.
    """
    given = parse_object(line)
    document = in_specification_form(given, (), parse_object)
    found = document.get(EVENT_TYPE)
    name = found if isinstance(found, str) else ""
    if "specversion" not in given:  # a CloudEvent may have extensions of any name
        _check_object(document, _ENVELOPE, name or "AuthEvent", "", also=(EVENT_TYPE, PAYLOAD))
    event_type = catalog.find(name)
    if event_type is not None:
        fields = event_type.message.DESCRIPTOR.fields
        _check_object(document.get(PAYLOAD), fields, event_type.name, f"{PAYLOAD}.")
    elif name:
        raise InvalidEvent(name, "", f"is no event type of this contract{_hint(name, catalog.EVENT_TYPES)}")


def _check_object(
    value: Any, fields: Iterable[Any], event_type: str, path: str, also: Iterable[str] = ()
) -> None:
    """Check the names of an object by a message's fields; anything but an object is left to the reader."""
    if not isinstance(value, dict):
        return
    by_name = {name: field for field in fields for name in (field.name, field.json_name)}
    for name, content in value.items():
        field = by_name.get(name)
        if field is not None:
            _check_value(content, field, event_type, f"{path}{name}")
        elif name not in also:
            known = [*(field.json_name for field in fields), *also]
            raise InvalidEvent(
                event_type, f"{path}{name}", f"is no field of the contract{_hint(name, known)}"
            )


def _check_value(value: Any, field: FieldDescriptor, event_type: str, path: str) -> None:
    if isinstance(value, list) and field.is_repeated:
        for index, item in enumerate(value):
            _check_value(item, field, event_type, f"{path}[{index}]")
    elif field.enum_type is not None:
        _check_enum(value, field.enum_type, event_type, path)
    elif field.message_type is not None and not field.message_type.full_name.startswith("google.protobuf."):
        _check_object(value, field.message_type.fields, event_type, f"{path}.")


def _check_enum(value: Any, enum: EnumDescriptor, event_type: str, path: str) -> None:
    if isinstance(value, str) and value not in enum.values_by_name:
        prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
        full = f"{prefix}{value.upper()}"  # as it is named in other languages and in conversation
        hint = f"; did you mean {full}?" if full in enum.values_by_name else _hint(value, enum.values_by_name)
        raise InvalidEvent(event_type, path, f"{value!r} is no value of {enum.name}{hint}")
    if isinstance(value, int) and not isinstance(value, bool) and value not in enum.values_by_number:
        raise InvalidEvent(event_type, path, f"{value} is no value of {enum.name}")


def _hint(name: str, known: Iterable[str]) -> str:
    closest = closest_name(name, known)
    return f"; did you mean {closest}?" if closest else ""
