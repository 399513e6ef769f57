"""Names are resolved and options interpreted: a draft becomes a descriptor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F
from google.protobuf.message import DecodeError

from immersiverse.auth.events.protofile._check import Checker
from immersiverse.auth.events.protofile._interpret import Interpreter
from immersiverse.auth.events.protofile._schema import Schema, options_type
from immersiverse.auth.events.protofile._symbols import MESSAGES, TYPES, Kind, Symbols, symbols_of
from immersiverse.auth.events.protofile._value import MessageValue, encode

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto
    from google.protobuf.message import Message

    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._dependencies import Dependencies
    from immersiverse.auth.events.protofile._draft import Draft, OptionBlock, Reference


def link(cursor: Cursor, draft: Draft, dependencies: Dependencies) -> None:
    """Complete the draft's descriptor.

    Raises:
        InvalidSchema: a name means nothing, or an option cannot be what it says; a missing import is named.
    """
    imports = draft.file.dependency
    missing = dependencies.missing(imports)
    hint = "; imported but not given: " + ", ".join(missing) if missing else ""
    own = symbols_of(draft.file)
    visible = dependencies.visible(imports)
    visible.include(own)
    for reference in draft.references:
        _resolve(cursor, visible, reference, hint)
    if draft.blocks:
        everything = dependencies.reachable(imports)
        everything.include(own)
        _interpret(draft, Interpreter(cursor, visible, Schema(everything), hint))
    Checker(cursor, draft, visible).check()


def _resolve(cursor: Cursor, visible: Symbols, reference: Reference, hint: str) -> None:
    element, attribute = reference.element, reference.attribute
    is_type = attribute == "type_name"
    full_name = visible.resolve(reference.name, reference.scope, TYPES if is_type else MESSAGES)
    if full_name is None:
        what = "type" if is_type else "message"
        cursor.fail(f'expected a {what}, "{reference.name}" is not defined{hint}', reference.offset)
    setattr(element, attribute, f".{full_name}")
    if is_type and element.type != F.TYPE_GROUP:
        _set_type(cursor, element, visible.kinds[full_name], reference)


def _set_type(cursor: Cursor, field: F, kind: Kind, reference: Reference) -> None:
    field.type = F.TYPE_ENUM if kind is Kind.ENUM else F.TYPE_MESSAGE
    if field.type == F.TYPE_MESSAGE and field.HasField("default_value"):
        cursor.fail("expected no default on a message", reference.offset)


def _interpret(draft: Draft, interpreter: Interpreter) -> None:
    # An element can have several blocks: one a statement.
    values: dict[int, tuple[OptionBlock, MessageValue]] = {}
    for block in draft.blocks:
        type_name = options_type(block.element)
        _, value = values.setdefault(id(block.element), (block, MessageValue(type_name)))
        scope = draft.file.package if block.element is draft.file else block.scope
        for option in block.options:
            interpreter.apply(value, option, scope)
    for block, value in values.values():
        _store(interpreter.cursor, block, encode(value))
    for field, entry in draft.maps:
        _share_features(field, entry)


def _share_features(field: F, entry: DescriptorProto) -> None:
    """A map's features are those of its keys and values too."""
    if field.options.HasField("features"):
        for side in entry.field:
            side.options.features.CopyFrom(field.options.features)


def _store(cursor: Cursor, block: OptionBlock, options: bytes) -> None:
    element: Message = block.element
    try:
        element.options.MergeFromString(options)  # type: ignore[attr-defined]  # every element here has options
    except DecodeError as error:
        cursor.fail("expected options that the runtime can read", block.options[0].offset, error)
