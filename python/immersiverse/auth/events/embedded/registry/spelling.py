"""Whether a descriptor's names are text, which parsers of old Protobuf syntax, its own, do not ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_spelling(message: Message) -> None:
    """Look through the message and those in it.

    Raises:
        InvalidSchema: a string is not UTF-8.
    """
    for field, value in _values(message):
        if isinstance(value, Message):
            check_spelling(value)
        elif field.type == FieldDescriptor.TYPE_STRING and isinstance(value, bytes):
            raise InvalidSchema(f"{field.name} is not UTF-8: {value!r}")


def _values(message: Message) -> Iterator[tuple[FieldDescriptor, object]]:
    for field, value in message.ListFields():
        if isinstance(value, Message | str | bytes | int | float):
            yield field, value
        else:
            yield from ((field, one) for one in value)
