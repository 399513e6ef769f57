"""The grammar of options: ``option name = value;`` and ``[name = value, ...]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.protofile._draft import (
    Aggregate,
    AggregateField,
    NamePart,
    Option,
    OptionBlock,
    Scalar,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._draft import Draft

# Far beyond any real option, far below Python's recursion limit and protobuf's own of 100.
_DEEPEST_AGGREGATE = 48


def read_option_statement(cursor: Cursor, draft: Draft, element: Message, scope: str) -> None:
    """``option name = value;``, whose first word is at hand."""
    cursor.expect("option")
    option = read_option(cursor)
    cursor.expect(";")
    draft.blocks.append(OptionBlock(element, scope, [option]))


def read_bracketed(cursor: Cursor) -> list[Option]:
    """``[name = value, ...]`` if it is at hand."""
    options: list[Option] = []
    if cursor.accept("["):
        options.append(read_option(cursor))
        while cursor.accept(","):
            options.append(read_option(cursor))
        cursor.expect("]")
    return options


def read_option(cursor: Cursor) -> Option:
    """``name = value``."""
    offset = cursor.offset
    path = [_read_part(cursor)]
    while cursor.accept("."):
        path.append(_read_part(cursor))
    cursor.expect("=")
    value = _read_aggregate(cursor, 1) if cursor.text == "{" else read_scalar(cursor)
    return Option(path, value, offset)


def _read_part(cursor: Cursor) -> NamePart:
    if cursor.accept("("):
        name = cursor.type_name("the name of an option")
        cursor.expect(")")
        return NamePart(name, is_extension=True)
    return NamePart(cursor.identifier("the name of an option"), is_extension=False)


def read_scalar(cursor: Cursor) -> Scalar:
    """A name, a number with or without a minus sign, or strings."""
    offset = cursor.offset
    if cursor.kind == "string":
        return Scalar("string", "", cursor.string("a string"), negative=False, offset=offset)
    negative = cursor.accept("-")
    if cursor.kind not in {"name", "integer", "float"}:
        cursor.unexpected("a value")
    return Scalar(cursor.kind, cursor.take(), b"", negative, offset)


def _read_aggregate(cursor: Cursor, depth: int) -> Aggregate:
    if depth > _DEEPEST_AGGREGATE:
        cursor.fail(f"expected values nested at most {_DEEPEST_AGGREGATE} deep")
    aggregate = Aggregate([], cursor.offset)
    closing = ">" if cursor.take() == "<" else "}"
    while not cursor.accept(closing):
        aggregate.fields.append(_read_aggregate_field(cursor, depth))
        if cursor.text in {",", ";"}:
            cursor.take()
    return aggregate


def _read_aggregate_field(cursor: Cursor, depth: int) -> AggregateField:
    offset = cursor.offset
    domain, is_extension = "", cursor.accept("[")
    name = (
        cursor.full_name("the name of a field") if is_extension else cursor.identifier("the name of a field")
    )
    if is_extension:
        if cursor.accept("/"):
            domain, name = name, cursor.full_name("the name of a message")
        cursor.expect("]")
    if not cursor.accept(":") and cursor.text not in {"{", "<", "["}:
        cursor.unexpected('":"')
    is_list = cursor.text == "["
    values = _read_list(cursor, depth) if is_list else [_read_value(cursor, depth)]
    return AggregateField(name, is_extension, domain, values, is_list, offset)


def _read_list(cursor: Cursor, depth: int) -> list[Scalar | Aggregate]:
    cursor.expect("[")
    values: list[Scalar | Aggregate] = []
    if cursor.accept("]"):
        return values
    values.append(_read_value(cursor, depth))
    while cursor.accept(","):
        values.append(_read_value(cursor, depth))
    cursor.expect("]")
    return values


def _read_value(cursor: Cursor, depth: int) -> Scalar | Aggregate:
    return _read_aggregate(cursor, depth + 1) if cursor.text in {"{", "<"} else read_scalar(cursor)
