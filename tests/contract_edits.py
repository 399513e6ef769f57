"""Every single edit of the contract that a maintainer could make: some nine thousand, each with a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.v1 import options_pb2

Edit = Callable[[FileDescriptorProto], None]
Kinds = FieldDescriptorProto

_OURS = f".{CONTRACT_FILE.package}."
_FREE = 900  # a number that no field of the contract has
_MESSAGES = {
    "Timestamp": (Kinds.TYPE_MESSAGE, ".google.protobuf.Timestamp"),
    "Actor": (Kinds.TYPE_MESSAGE, f"{_OURS}Actor"),
    "ActorKind": (Kinds.TYPE_ENUM, f"{_OURS}ActorKind"),
}
TYPES: dict[str, tuple[int, str]] = {
    **{
        name.removeprefix("TYPE_").lower(): (number, "")
        for name, number in Kinds.Type.items()
        if number not in (Kinds.TYPE_GROUP, Kinds.TYPE_MESSAGE, Kinds.TYPE_ENUM)
    },
    **_MESSAGES,
}
LABELS = ("singular", "optional", "repeated")
# Each is one more or another rule of a field; None takes the rule away.
RULES: dict[str, Any] = {
    "required": (True, None),
    "max_length": (1, 10, 100_000, None),
    "minimum": (-1.0, 0.0, 10.0, None),
    "maximum": (0.0, 10.0, 1e15, None),
    "format": (*options_pb2.Format.values()[1:], None),
    "personal_data": (*options_pb2.PersonalData.values()[1:], None),
}


def edited(edit: Edit) -> FileDescriptorProto:
    """The contract after an edit."""
    file = FileDescriptorProto.FromString(CONTRACT_FILE.SerializeToString())
    edit(file)
    return file


def edits() -> dict[str, Edit]:
    """Every edit by a name that says what it does; those that would change nothing are left out."""
    before = CONTRACT_FILE.SerializeToString(deterministic=True)
    return {
        name: edit for name, edit in _edits() if edited(edit).SerializeToString(deterministic=True) != before
    }


def _edits() -> Iterator[tuple[str, Edit]]:
    yield from _file_edits()
    for place, message in enumerate(CONTRACT_FILE.message_type):
        yield from _message_edits(place, message)
        for number, field in enumerate(message.field):
            at = f"{message.name}.{field.name}"
            yield from ((f"{at}: {name}", _on_field(place, number, edit)) for name, edit in _field_edits())
    for place, enum in enumerate(CONTRACT_FILE.enum_type):
        yield from ((f"{enum.name}: {name}", _on_enum(place, edit)) for name, edit in _enum_edits(enum))


# The file.


def _file_edits() -> Iterator[tuple[str, Edit]]:
    yield "rename the package", lambda file: setattr(file, "package", "immersiverse.auth.events.v2")
    yield "another Java package", lambda file: setattr(file.options, "java_package", "com.example")
    yield "syntax proto2", lambda file: setattr(file, "syntax", "proto2")
    yield "a new message", lambda file: file.message_type.add(name="Added") and None
    yield "a new enum", _add_enum
    for name in ("single_topic", "dead_letter_topic", "default_source"):
        yield f"another {name}", partial(_change_contract, name)


def _add_enum(file: FileDescriptorProto) -> None:
    file.enum_type.add(name="Added").value.add(name="ADDED_UNSPECIFIED", number=0)


def _change_contract(name: str, file: FileDescriptorProto) -> None:
    setattr(file.options.Extensions[options_pb2.contract], name, "changed")


# Messages.


def _message_edits(place: int, message: DescriptorProto) -> Iterator[tuple[str, Edit]]:
    for kind in TYPES:
        for label in LABELS:
            yield f"{message.name}: add {label} {kind}", partial(_add_field, place, kind, label, {})
    for name, values in RULES.items():
        for value in values[:-1]:
            add = partial(_add_field, place, "string", "singular", {name: value})
            yield f"{message.name}: add string with {name} {value}", add
    yield f"{message.name}: remove", partial(_remove_message, place)
    yield f"{message.name}: rename", partial(_rename_message, place)
    yield f"{message.name}: move to the end", partial(_move_message, place)
    if place and message.options.HasExtension(options_pb2.event):
        yield f"{message.name}: no event", partial(_on_event, place, lambda event: event.Clear())
        yield f"{message.name}: another topic", partial(_on_event, place, _change_topic)
        yield f"{message.name}: another key", partial(_on_event, place, _change_key)


def _add_field(place: int, kind: str, label: str, rules: dict[str, Any], file: FileDescriptorProto) -> None:
    message = file.message_type[place]
    field = message.field.add(name="added", json_name="added", number=_FREE, label=Kinds.LABEL_OPTIONAL)
    _set_type(field, kind)
    for name, value in rules.items():
        setattr(field.options.Extensions[options_pb2.field], name, value)
    if label == "repeated":
        field.label = Kinds.LABEL_REPEATED
    elif label == "optional":
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name="_added")


def _set_type(field: FieldDescriptorProto, kind: str) -> None:
    number, name = TYPES[kind]
    field.type = Kinds.Type.ValueType(number)
    field.ClearField("type_name")
    if name:
        field.type_name = name


def _remove_message(place: int, file: FileDescriptorProto) -> None:
    """Remove a message, and every field of that type, their numbers and names reserved."""
    name = f"{_OURS}{file.message_type[place].name}"
    del file.message_type[place]
    for message in file.message_type:
        for number in reversed(range(len(message.field))):
            if message.field[number].type_name == name:
                _reserve(message, message.field[number])
                del message.field[number]


def _rename_message(place: int, file: FileDescriptorProto) -> None:
    message = file.message_type[place]
    name, message.name = message.name, f"{message.name}Renamed"
    for other in file.message_type:
        for field in other.field:
            if field.type_name == f"{_OURS}{name}":
                field.type_name = f"{_OURS}{message.name}"


def _move_message(place: int, file: FileDescriptorProto) -> None:
    moved = DescriptorProto.FromString(file.message_type[place].SerializeToString())
    del file.message_type[place]
    file.message_type.append(moved)


def _on_event(
    place: int, change: Callable[[options_pb2.EventOptions], Any], file: FileDescriptorProto
) -> None:
    options = file.message_type[place].options
    event = options.Extensions[options_pb2.event]
    change(event)
    if not event.ListFields():
        options.ClearExtension(options_pb2.event)


def _change_topic(event: options_pb2.EventOptions) -> None:
    event.topic = "auth.events.changed"


def _change_key(event: options_pb2.EventOptions) -> None:
    event.partition_key.append("changed")


# Fields.


def _on_field(place: int, number: int, edit: Callable[[DescriptorProto, FieldDescriptorProto], None]) -> Edit:
    def apply(file: FileDescriptorProto) -> None:
        message = file.message_type[place]
        edit(message, message.field[number])

    return apply


FieldEdit = Callable[[DescriptorProto, FieldDescriptorProto], None]


def _field_edits() -> Iterator[tuple[str, FieldEdit]]:
    yield "remove and reserve", _remove_reserved
    yield "remove", lambda message, field: message.field.remove(field)
    yield "rename", lambda _, field: setattr(field, "name", f"{field.name}_renamed")
    yield "another JSON name", lambda _, field: setattr(field, "json_name", f"{field.json_name}Renamed")
    yield "another number", lambda _, field: setattr(field, "number", _FREE)
    for kind in TYPES:
        yield f"type {kind}", lambda _, field, kind=kind: _retype(field, kind)
    yield from ((f"make {label}", partial(_relabel, label)) for label in LABELS)
    yield "into a oneof", _into_oneof
    for name, values in RULES.items():
        for value in values:
            yield f"{name} {value}", lambda _, field, name=name, value=value: _set_rule(field, name, value)


def _remove_reserved(message: DescriptorProto, field: FieldDescriptorProto) -> None:
    _reserve(message, field)
    message.field.remove(field)


def _reserve(message: DescriptorProto, field: FieldDescriptorProto) -> None:
    message.reserved_range.add(start=field.number, end=field.number + 1)
    message.reserved_name.append(field.name)


def _retype(field: FieldDescriptorProto, kind: str) -> None:
    """Another type; rules that the new type cannot have are dropped."""
    _set_type(field, kind)
    rules = field.options.Extensions[options_pb2.field]
    for name in ("max_length", "format", "minimum", "maximum"):
        rules.ClearField(name)


def _relabel(label: str, message: DescriptorProto, field: FieldDescriptorProto) -> None:
    if field.proto3_optional:
        declared = message.oneof_decl[field.oneof_index]
        for other in message.field:
            if other.HasField("oneof_index") and other.oneof_index > field.oneof_index:
                other.oneof_index -= 1
        message.oneof_decl.remove(declared)
    field.ClearField("proto3_optional")
    field.ClearField("oneof_index")
    field.label = Kinds.LABEL_REPEATED if label == "repeated" else Kinds.LABEL_OPTIONAL
    if label == "optional":
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{field.name}")


def _into_oneof(message: DescriptorProto, field: FieldDescriptorProto) -> None:
    if field.HasField("oneof_index") or field.label == Kinds.LABEL_REPEATED:
        return
    # A oneof that holds a field comes before those of fields that are `optional`.
    for other in message.field:
        if other.HasField("oneof_index"):
            other.oneof_index += 1
    message.oneof_decl.insert(0, type(message.oneof_decl.add())(name="grouped"))
    del message.oneof_decl[-1]
    field.oneof_index = 0


def _set_rule(field: FieldDescriptorProto, name: str, value: Any) -> None:
    rules = field.options.Extensions[options_pb2.field]
    if value is None:
        rules.ClearField(name)
    else:
        setattr(rules, name, value)


# Enums.


def _on_enum(place: int, edit: Callable[[EnumDescriptorProto], None]) -> Edit:
    return lambda file: edit(file.enum_type[place])


def _enum_edits(enum: EnumDescriptorProto) -> Iterator[tuple[str, Callable[[EnumDescriptorProto], None]]]:
    yield "add a value", lambda enum: enum.value.add(name=f"{enum.name}_ADDED", number=_FREE) and None
    for place, value in enumerate(enum.value):
        yield f"rename {value.name}", partial(_rename_value, place)
        yield f"renumber {value.name}", partial(_renumber_value, place)
        if place:  # an enum keeps its zero
            yield f"remove {value.name}", partial(_remove_value, place)
            yield f"remove and reserve {value.name}", partial(_remove_reserved_value, place)


def _rename_value(place: int, enum: EnumDescriptorProto) -> None:
    enum.value[place].name += "_RENAMED"


def _renumber_value(place: int, enum: EnumDescriptorProto) -> None:
    enum.value[place].number = _FREE


def _remove_value(place: int, enum: EnumDescriptorProto) -> None:
    del enum.value[place]


def _remove_reserved_value(place: int, enum: EnumDescriptorProto) -> None:
    value = enum.value[place]
    enum.reserved_range.add(start=value.number, end=value.number)
    enum.reserved_name.append(value.name)
    del enum.value[place]
