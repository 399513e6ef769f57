"""The grammar of fields: plain ones, maps and groups, in messages, oneofs and extend blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.protofile._default_syntax import read_default
from immersiverse.auth.events.protofile._draft import INT32_MAX, OptionBlock, Reference
from immersiverse.auth.events.protofile._names import is_json_name, join, json_name, map_entry_name
from immersiverse.auth.events.protofile._option_syntax import read_option
from immersiverse.auth.events.protofile._types import KEY_TYPES, LABELS, SCALAR_TYPES

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto

    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._draft import Draft, Option
    from immersiverse.auth.events.protofile._place import Place


def read_field(cursor: Cursor, draft: Draft, place: Place) -> None:
    """One field with all that belongs to it, whose first word is at hand."""
    if cursor.text == "map" and cursor.next_text == "<":
        _read_map(cursor, draft, place)
        return
    field = place.fields.add()
    _read_label(cursor, draft, field, in_oneof=place.oneof is not None)
    _settle(draft, field, place)
    if cursor.text == "group":
        _read_group(cursor, draft, field, place)
        return
    _read_type(cursor, draft, field, place.scope)
    _read_name_and_number(cursor, draft, field, place.scope)
    _read_options(cursor, draft, field, place.scope)
    cursor.expect(";")


def _settle(draft: Draft, field: F, place: Place) -> None:
    if place.oneof is not None:
        field.oneof_index = place.oneof
    if place.extendee is not None:
        name, offset = place.extendee
        draft.references.append(Reference(field, "extendee", name, place.scope, offset))


def _read_label(cursor: Cursor, draft: Draft, field: F, *, in_oneof: bool) -> None:
    word = cursor.text
    field.label = LABELS.get(word, F.LABEL_OPTIONAL)
    if word not in LABELS:
        if draft.syntax == "proto2" and not in_oneof:
            cursor.unexpected("optional, required or repeated")
        return
    if in_oneof:
        cursor.fail("expected no label in a oneof")
    if word == "required" and draft.syntax != "proto2":
        cursor.fail("expected required in proto2 only")
    if word == "optional" and draft.syntax == "editions":
        cursor.fail("expected no optional in an edition: fields have presence there")
    if word == "optional" and draft.syntax == "proto3":
        field.proto3_optional = True
    cursor.take()


def _read_type(cursor: Cursor, draft: Draft, field: F, scope: str) -> None:
    scalar = SCALAR_TYPES.get(cursor.text)
    if scalar is None:
        offset = cursor.offset
        name = cursor.type_name("the type of a field")
        draft.references.append(Reference(field, "type_name", name, scope, offset))
    else:
        field.type = scalar
        cursor.take()


def _read_name_and_number(cursor: Cursor, draft: Draft, field: F, scope: str) -> None:
    field.name = cursor.identifier("the name of a field")
    draft.declare(cursor, join(scope, field.name))
    field.json_name = json_name(field.name)
    cursor.expect("=")
    # Extensions of a message set go past the usual limit, and which these are is not known yet.
    field.number = cursor.integer("a field number", 1, INT32_MAX - 1)


def _read_options(cursor: Cursor, draft: Draft, field: F, scope: str) -> None:
    if not cursor.accept("["):
        return
    options: list[Option] = []
    while True:
        if cursor.text == "default" and cursor.next_text == "=":
            read_default(cursor, draft, field)
        elif cursor.text == "json_name" and cursor.next_text == "=":
            _read_json_name(cursor, field)
        else:
            options.append(read_option(cursor))
        if not cursor.accept(","):
            break
    cursor.expect("]")
    if options:
        draft.blocks.append(OptionBlock(field, scope, options))


def _read_json_name(cursor: Cursor, field: F) -> None:
    cursor.expect("json_name")
    cursor.expect("=")
    if field.HasField("extendee"):
        cursor.fail("expected no json_name on an extension")
    offset = cursor.offset
    field.json_name = cursor.text_string("the JSON name")
    if not is_json_name(field.json_name):
        cursor.fail("expected a JSON name without NUL and not in brackets", offset)


def _read_group(cursor: Cursor, draft: Draft, field: F, place: Place) -> None:
    if draft.syntax != "proto2":
        cursor.fail("expected groups in proto2 only")
    cursor.expect("group")
    name_offset = cursor.offset
    _read_name_and_number(cursor, draft, field, place.scope)
    group = place.nested.add(name=field.name)
    if not group.name[0].isupper():
        cursor.fail("expected the name of a group to begin with a capital letter", name_offset)
    field.type = F.TYPE_GROUP
    field.name = group.name.lower()
    draft.declare(cursor, join(place.scope, field.name), name_offset)
    field.json_name = json_name(field.name)
    draft.references.append(Reference(field, "type_name", group.name, place.scope, name_offset))
    _read_options(cursor, draft, field, place.scope)
    place.read_body(cursor, draft, group, place.scope, place.depth + 1)


def _read_map(cursor: Cursor, draft: Draft, place: Place) -> None:
    if place.oneof is not None or place.extendee is not None:
        cursor.fail("expected no map in a oneof or an extend block")
    field = place.fields.add(label=F.LABEL_REPEATED, type=F.TYPE_MESSAGE)
    entry = place.nested.add()
    entry.options.map_entry = True
    draft.maps.append((field, entry))
    cursor.expect("map")
    _read_entry(cursor, draft, entry, place.scope)
    name_offset = cursor.offset
    _read_name_and_number(cursor, draft, field, place.scope)
    entry.name = map_entry_name(field.name)
    draft.declare(cursor, join(place.scope, entry.name), name_offset)
    draft.references.append(Reference(field, "type_name", entry.name, place.scope, name_offset))
    _read_options(cursor, draft, field, place.scope)
    cursor.expect(";")


def _read_entry(cursor: Cursor, draft: Draft, entry: DescriptorProto, scope: str) -> None:
    cursor.expect("<")
    if SCALAR_TYPES.get(cursor.text) not in KEY_TYPES:
        cursor.unexpected("keys of an integer, bool or string type")
    key, value = entry.field.add(name="key", number=1), entry.field.add(name="value", number=2)
    for side in (key, value):
        side.label = F.LABEL_OPTIONAL
        side.json_name = side.name
    key.type = SCALAR_TYPES[cursor.take()]
    cursor.expect(",")
    _read_type(cursor, draft, value, scope)
    cursor.expect(">")
