"""Options as written become values of option messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersiverse.auth.events.protofile._draft import Aggregate, AggregateField, NamePart, Option, Scalar
from immersiverse.auth.events.protofile._option_scalar import scalar_value
from immersiverse.auth.events.protofile._symbols import EXTENSIONS
from immersiverse.auth.events.protofile._value import Entry, MessageValue, Value, encode

if TYPE_CHECKING:
    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._schema import Field, Schema
    from immersiverse.auth.events.protofile._symbols import Symbols

_ANY = "google.protobuf.Any"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Interprets options by the extensions that a file sees.

    Attributes:
        cursor: complains about places in the text.
        visible: what the file can name.
        schema: the fields of everything behind that.
        hint: what to add when a name is not found.
    """

    cursor: Cursor
    visible: Symbols
    schema: Schema
    hint: str

    def apply(self, message: MessageValue, option: Option, scope: str) -> None:
        """Set one option in its message.

        Raises:
            InvalidSchema: there is no such option, or it cannot have this value, or has one already.
        """
        for part in option.path[:-1]:
            field = self._part(message.type_name, part, scope, option.offset)
            if not field.is_message or field.is_repeated:
                self.cursor.fail(
                    f"expected a message before the dot, which {field.name} is not", option.offset
                )
            message = _inner(message, field)
        field = self._part(message.type_name, option.path[-1], scope, option.offset)
        self._set(message, field, option.value, option.offset, in_braces=False)

    def _part(self, message: str, part: NamePart, scope: str, offset: int) -> Field:
        if not part.is_extension:
            return self._own(message, part.name, offset)
        full_name = self.visible.resolve(part.name, scope, EXTENSIONS)
        if full_name is None:
            self.cursor.fail(f'expected an option, "({part.name})" is not defined{self.hint}', offset)
        field = self.schema.extension(message, full_name)
        if field is None:
            self.cursor.fail(f'expected an option, "({part.name})" does not extend {message}', offset)
        return field

    def _own(self, message: str, name: str, offset: int) -> Field:
        field = self.schema.field_named(message, name)
        if field is None or name == "uninterpreted_option":
            self.cursor.fail(f'expected a field of {message}, "{name}" is none', offset)
        return field

    def _set(
        self,
        message: MessageValue,
        field: Field,
        written: Scalar | Aggregate,
        offset: int,
        *,
        in_braces: bool,
    ) -> None:
        entry = message.entries.setdefault(field.number, Entry(field, []))
        if entry.values and not field.is_repeated:
            self.cursor.fail(f"expected one value of {field.name}", offset)
        entry.values.append(self._value(field, written, in_braces=in_braces))

    def _value(self, field: Field, written: Scalar | Aggregate, *, in_braces: bool) -> Value:
        if isinstance(written, Scalar):
            return scalar_value(self.cursor, self.schema, field, written, in_braces=in_braces)
        if not field.is_message:
            self.cursor.fail(f"expected one value of {field.name}, not braces", written.offset)
        return self._message(field.type_name, written)

    def _message(self, type_name: str, written: Aggregate) -> MessageValue:
        if not self.schema.knows(type_name):
            self.cursor.fail(f"expected {type_name} to be defined{self.hint}", written.offset)
        message = MessageValue(type_name)
        for item in written.fields:
            if item.domain:
                self._expand_any(message, item)
            else:
                self._set_item(message, item)
        return message

    def _set_item(self, message: MessageValue, item: AggregateField) -> None:
        if item.is_extension:
            field = self.schema.extension_named(message.type_name, item.name)
            if field is None:
                self.cursor.fail(f"expected an extension of {message.type_name}{self.hint}", item.offset)
        else:
            field = self._own(message.type_name, item.name, item.offset)
        if item.is_list and not field.is_repeated:
            self.cursor.fail(f"expected one value of {field.name}, not a list", item.offset)
        for value in item.values:
            self._set(message, field, value, item.offset, in_braces=True)

    def _expand_any(self, message: MessageValue, item: AggregateField) -> None:
        content = item.values[0] if len(item.values) == 1 else None
        if message.type_name != _ANY or message.entries or not isinstance(content, Aggregate):
            self.cursor.fail(f"expected one message in braces for the whole {_ANY}", item.offset)
        packed = encode(self._message(item.name, content))
        url = f"{item.domain}/{item.name}".encode()
        for name, data in (("type_url", url), ("value", packed)):
            field = self._own(_ANY, name, item.offset)
            message.entries[field.number] = Entry(field, [data])


def _inner(message: MessageValue, field: Field) -> MessageValue:
    entry = message.entries.setdefault(field.number, Entry(field, [MessageValue(field.type_name)]))
    inner = entry.values[0]
    if not isinstance(inner, MessageValue):  # pragma: no cover
        raise TypeError(field.name)
    return inner
