"""JSON objects to messages by proto3's mapping, with a reader compiled once per message type.

Source: the Protobuf JSON mapping (protobuf.dev, "ProtoJSON Format"). Reads what ``json_format.ParseDict``
reads with unknown fields ignored, which a property test shows. Fields may go by their JSON or .proto name.
"""

from __future__ import annotations

import keyword
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from immersiverse.auth.events.errors import MalformedPayload
from immersiverse.auth.events.serialization.json_scalars import read_string
from immersiverse.auth.events.serialization.json_values import (
    SKIP,
    TAKE_NULL,
    TIMES,
    fill_well_known,
    list_reader,
    map_reader,
    messages_reader,
    read_object,
    time_filler,
    value_reader,
)
from immersiverse.auth.events.serialization.json_writing import WELL_KNOWN_PREFIX, holds_itself

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.descriptor import Descriptor

    from immersiverse.auth.events.serialization.json_values import Fill

    Namespace = dict[str, Any]

_FAULTS = (MalformedPayload, ValueError, TypeError, OverflowError)


@cache
def object_reader(descriptor: Descriptor) -> Fill:
    """A function that reads a JSON object into an empty message of a type.

    It raises MalformedPayload naming the field, or ValueError if it is given no object.
    """
    fill = fields_reader(descriptor.fields)
    oneofs = [oneof.fields for oneof in descriptor.oneofs if len(oneof.fields) > 1]
    return _refusing_two_of_one(fill, oneofs) if oneofs else fill


def fields_reader(fields: Iterable[FieldDescriptor]) -> Fill:
    """The same for some fields of a message type; all others are ignored."""
    names: Namespace = {"FAULTS": _FAULTS, "SKIP": SKIP, "fault": _fault, "object": read_object}
    lines = [
        "def fill(document, message):",
        "    get = object(document).get",
        "    try:",
        *(f"        {line}" for field in fields for line in _source(field, names)),
        "        return",
        "    except FAULTS as error:",
        "        raise fault(error, key) from error",
    ]
    exec("\n".join(lines), names)  # noqa: S102 - source made of our own descriptors' identifiers
    return names["fill"]  # type: ignore[no-any-return]  # what the source defines


def _source(field: FieldDescriptor, names: Namespace) -> list[str]:
    """Python that reads one field: straight-line code takes two thirds of the time of a loop over keys, and
    setting fields three quarters of the time of a constructor.
    """  # noqa: D205 - one sentence, two lines
    key = repr(field.json_name)
    lines = [f"value = get({key})"]
    if field.json_name != field.name:
        lines.append(f"if value is None: value = get({field.name!r})")
    if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
        names["read_string"] = read_string
        refuse = f"elif value is not None: key = {key}; read_string(value)"
        return [*lines, f"if type(value) is str: {_set(field)}", refuse]
    is_set = f"{key} in document or {field.name!r} in document" if _takes_null(field) else "value is not None"
    return [*lines, f"if {is_set}:", f"    key = {key}", *(f"    {line}" for line in _reading(field, names))]


def _reading(field: FieldDescriptor, names: Namespace) -> list[str]:
    """Python that puts `value`, which is JSON, into the field; what it refers to goes into `names`."""
    read = f"read_{field.number}"
    if field.message_type is None:
        convert = value_reader(field)
        names[read] = list_reader(convert) if field.is_repeated else convert
        if field.is_repeated:
            return [f"{_get(field)}.extend({read}(value))"]
        return [f"value = {read}(value)", f"if value is not SKIP: {_set(field)}"]
    if field.is_repeated:
        is_map = field.message_type.GetOptions().map_entry
        many = map_reader(field.message_type, _message_reader) if is_map else None
        names[read] = many or messages_reader(_message_reader(field.message_type))
        return [f"{read}(value, {_get(field)})"]
    if field.message_type.full_name in TIMES:
        names[read] = TIMES[field.message_type.full_name]
        return [f"time = {_get(field)}", f"time.seconds, time.nanos = {read}(value)"]
    names[read] = _message_reader(field.message_type)
    return [f"part = {_get(field)}", "part.SetInParent()", f"{read}(value, part)"]


def _get(field: FieldDescriptor) -> str:
    return f"getattr(message, {field.name!r})" if keyword.iskeyword(field.name) else f"message.{field.name}"


def _set(field: FieldDescriptor) -> str:
    if keyword.iskeyword(field.name):
        return f"setattr(message, {field.name!r}, value)"
    return f"message.{field.name} = value"


def _fault(error: Exception, key: str) -> MalformedPayload:
    if isinstance(error, MalformedPayload):
        return MalformedPayload(error.reason, f"{key}.{error.field}")
    return MalformedPayload(str(error), key)


def _takes_null(field: FieldDescriptor) -> bool:
    """Null says that a field is absent, but for the types that have a null themselves."""
    held = field.message_type or field.enum_type
    return held is not None and held.full_name in TAKE_NULL and not field.is_repeated


def _refusing_two_of_one(fill: Fill, oneofs: list[Sequence[FieldDescriptor]]) -> Fill:
    def refusing(document: Any, message: Any) -> None:
        fill(document, message)
        for fields in oneofs:
            found = [key for f in fields for key in {f.name, f.json_name} if document.get(key) is not None]
            if len(found) > 1:
                raise MalformedPayload(f"excludes {found[1]}: a message has one of them", found[0])

    return refusing


def _message_reader(descriptor: Descriptor) -> Fill:
    if descriptor.full_name in TIMES:
        return time_filler(TIMES[descriptor.full_name])
    if descriptor.full_name.startswith(WELL_KNOWN_PREFIX):
        return fill_well_known
    if holds_itself(descriptor):
        return _later(descriptor)
    return object_reader(descriptor)


def _later(descriptor: Descriptor) -> Fill:
    """The reader of a type that is being compiled and holds itself."""

    def fill(document: Any, message: Any) -> None:
        object_reader(descriptor)(document, message)

    return fill
