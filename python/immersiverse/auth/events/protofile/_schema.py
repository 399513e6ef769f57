"""The fields that option messages have: their own and the extensions of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.protofile._symbols import EXTENSIONS
from immersiverse.auth.events.protofile._types import LENGTH_DELIMITED_TYPES

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from immersiverse.auth.events.protofile._symbols import Symbols


@dataclass(frozen=True, slots=True)
class Field:
    """What is asked of a field when a value of it is read or written.

    Attributes:
        name: its own name; the full name of an extension.
        number, type: as in its descriptor.
        type_name: full name of its message or enum, without leading dot; empty for others.
        is_extension, is_repeated, is_packed: what the names say.
        is_map: its message is an entry of a map.
    """

    name: str
    number: int
    type: int
    type_name: str
    is_extension: bool
    is_repeated: bool
    is_packed: bool
    is_map: bool

    @property
    def is_message(self) -> bool:
        """Whether its values are messages or groups."""
        return self.type in {F.TYPE_MESSAGE, F.TYPE_GROUP}

    @property
    def text_name(self) -> str:
        """Its name in braces: a group goes by its message's."""
        if self.type == F.TYPE_GROUP and not self.is_extension:
            return self.type_name.rpartition(".")[2]
        return self.name


def options_type(element: Message) -> str:
    """Full name of the message that holds the options of a declaration of this kind."""
    holder = element.DESCRIPTOR.fields_by_name["options"].message_type
    return "" if holder is None else holder.full_name


class Schema:
    """Looks fields up in files' declarations, each message's table made on first use."""

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        self._numbers: dict[str, dict[int, Field]] = {}
        self._names: dict[str, dict[str, Field]] = {}
        self._enums: dict[str, tuple[dict[str, int], dict[int, str]]] = {}
        self._extensions: dict[tuple[str, int], Field] | None = None

    def knows(self, message: str) -> bool:
        """Whether a message of this full name is declared."""
        return message in self._symbols.messages

    def field(self, message: str, number: int) -> Field | None:
        """A message's own field or an extension of it, by number."""
        own = self._table(message).get(number)
        return own if own is not None else self._extension_table().get((message, number))

    def field_named(self, message: str, name: str) -> Field | None:
        """A message's own field by name; groups also go by the name of their message."""
        if message not in self._names:
            table = {field.text_name: field for field in self._table(message).values()}
            table |= {field.name: field for field in self._table(message).values()}
            self._names[message] = table
        return self._names[message].get(name)

    def extension(self, message: str, name: str) -> Field | None:
        """An extension by full name, if it extends the message."""
        declared = self._symbols.extensions.get(name)
        if declared is None or declared.extendee != f".{message}":
            return None
        return self._field(name, declared, packs=name in self._symbols.packed)

    def extension_named(self, message: str, name: str) -> Field | None:
        """An extension by a name as it stands in braces: looked up from the extended message."""
        full_name = self._symbols.resolve(name, message, EXTENSIONS)
        return None if full_name is None else self.extension(message, full_name)

    def value_number(self, enum: str, name: str) -> int | None:
        """The number of an enum's value."""
        return self._values(enum)[0].get(name)

    def value_name(self, enum: str, number: int) -> str | None:
        """The first name of an enum's number."""
        return self._values(enum)[1].get(number)

    def _values(self, enum: str) -> tuple[dict[str, int], dict[int, str]]:
        if enum not in self._enums:
            declared = self._symbols.enums.get(enum)
            values = [] if declared is None else [(value.name, value.number) for value in declared.value]
            # Of aliases the first counts.
            self._enums[enum] = dict(values), {number: name for name, number in reversed(values)}
        return self._enums[enum]

    def _table(self, message: str) -> dict[int, Field]:
        table = self._numbers.get(message)
        if table is None:
            declared, packs = self._symbols.messages.get(message), message in self._symbols.packed
            fields = () if declared is None else declared.field
            table = {field.number: self._field(field.name, field, packs=packs) for field in fields}
            self._numbers[message] = table
        return table

    def _extension_table(self) -> dict[tuple[str, int], Field]:
        if self._extensions is None:
            self._extensions = {
                (field.extendee.lstrip("."), field.number): self._field(
                    name, field, packs=name in self._symbols.packed
                )
                for name, field in self._symbols.extensions.items()
            }
        return self._extensions

    def _field(self, name: str, declared: F, *, packs: bool) -> Field:
        type_name = declared.type_name.lstrip(".")
        repeated = declared.label == F.LABEL_REPEATED
        packed = declared.options.packed if declared.options.HasField("packed") else packs
        message = self._symbols.messages.get(type_name)
        return Field(
            name=name,
            number=declared.number,
            type=declared.type,
            type_name=type_name,
            is_extension=declared.HasField("extendee"),
            is_repeated=repeated,
            is_packed=repeated and packed and declared.type not in LENGTH_DELIMITED_TYPES,
            is_map=message is not None and message.options.map_entry,
        )
