"""The order of declarations in a message or file, so that reading them gives the same lists again.

Maps and groups add to the list of nested messages where they stand, and an index into that list is what
Confluent's framing carries: so text must interleave fields and nested messages just as the list says.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.descriptor_pb2 import DescriptorProto


@dataclass(frozen=True, slots=True)
class Unit:
    """Fields that are written together: one, a oneof's, or an extend block's.

    Attributes:
        fields: in their order.
        oneof: index of the oneof, or None.
        makes: names of the nested messages that they bring with them.
    """

    fields: Sequence[F]
    oneof: int | None
    makes: Sequence[str]


def field_units(fields: Iterable[F], entries: frozenset[str]) -> list[Unit]:
    """A message's fields, each oneof at its first one; ``entries`` name its maps' messages in full."""
    groups: dict[int, list[F]] = {}
    units: list[tuple[list[F], int | None]] = []
    for field in fields:
        if not field.HasField("oneof_index") or field.proto3_optional:
            units.append(([field], None))
        elif field.oneof_index in groups:
            groups[field.oneof_index].append(field)
        else:
            groups[field.oneof_index] = [field]
            units.append((groups[field.oneof_index], field.oneof_index))
    return [Unit(fields, oneof, _made(fields, entries)) for fields, oneof in units]


def extension_units(extensions: Iterable[F]) -> list[Unit]:
    """Extensions, with neighbours of one extended message in one block unless they are groups."""
    blocks: list[list[F]] = []
    for extension in extensions:
        last = blocks[-1][-1] if blocks else None
        joins = last is not None and last.extendee == extension.extendee
        if joins and F.TYPE_GROUP not in {extension.type, last.type if last else 0}:
            blocks[-1].append(extension)
        else:
            blocks.append([extension])
    return [Unit(block, None, _made(block, frozenset())) for block in blocks]


def _made(fields: Iterable[F], entries: frozenset[str]) -> list[str]:
    names = [(field, field.type_name.rpartition(".")[2]) for field in fields]
    return [name for field, name in names if field.type == F.TYPE_GROUP or _is_map(field, entries)]


def _is_map(field: F, entries: frozenset[str]) -> bool:
    return field.label == F.LABEL_REPEATED and field.type_name.lstrip(".") in entries


def interleave(
    nested: Iterable[DescriptorProto], fields: Iterable[Unit], extensions: Iterable[Unit]
) -> list[Unit | DescriptorProto]:
    """One sequence of everything, fields as early as they can stand.

    Raises:
        InvalidSchema: no text gives these lists in these orders.
    """
    return _Interleaving(deque(fields), deque(extensions)).of(nested)


class _Interleaving:
    def __init__(self, fields: deque[Unit], extensions: deque[Unit]) -> None:
        self._fields = fields
        self._extensions = extensions
        self._makers = {
            name: queue for queue in (fields, extensions) for unit in queue for name in unit.makes
        }
        self._sequence: list[Unit | DescriptorProto] = []
        self._due: deque[str] = deque()

    def of(self, nested: Iterable[DescriptorProto]) -> list[Unit | DescriptorProto]:
        self._write_plain_fields()
        for message in nested:
            if not self._due and message.name in self._makers:
                self._write_maker(message.name)
            if self._due and self._due.popleft() != message.name:
                raise _unordered(message.name)
            if message.name not in self._makers:
                self._sequence.append(message)
            elif not self._due:
                self._write_plain_fields()
        self._sequence += (*self._fields, *self._extensions)
        return self._sequence

    def _write_plain_fields(self) -> None:
        while self._fields and not self._fields[0].makes:
            self._sequence.append(self._fields.popleft())

    def _write_maker(self, name: str) -> None:
        queue = self._makers[name]
        while not self._due:
            if not queue:
                raise _unordered(name)
            unit = queue.popleft()
            self._sequence.append(unit)
            self._due.extend(unit.makes)


def _unordered(name: str) -> InvalidSchema:
    return InvalidSchema(
        f"message {name} cannot be written as text: it is not where the field that brings it would put it"
    )
