"""What a change is about: which events it concerns, and the names on its path."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, MessageOptions
from google.protobuf.message import DecodeError

from immersiverse.auth.events.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto


class EventImpact:
    """The types of two versions of a file, and which events hold them.

    Args:
        old: the earlier version.
        new: the later one.
    """

    def __init__(self, old: FileDescriptorProto, new: FileDescriptorProto) -> None:
        self._versions = (new, old)
        self._events = {
            message.name for file in self._versions for message in file.message_type if _is_event(message)
        }

    def events(self, path: str) -> tuple[str, ...]:
        """The names of the events that a change concerns, in order of their names; empty if none holds it."""
        parts = _parts(path)
        if not parts:
            return tuple(sorted(self._events))
        event = self._payload_fields.get(parts[-1]) if parts[0] == self._envelope else None
        return (event,) if event else self._holders.get(parts[0], ())

    def place(self, path: str) -> str:
        """A path with names instead of numbers, such as ``LoginFailed.reason``."""
        parts = _parts(path)
        if not parts:
            return "the file"
        named = [self._names.get("/".join(parts[: count + 1]), part) for count, part in enumerate(parts)]
        return ".".join(name for name in named if name)

    @cached_property
    def _envelope(self) -> str:
        """The name of the first message if it holds events; empty in a file of another contract."""
        for file in self._versions:
            for message in file.message_type[:1]:
                if any(_type(field) in self._events for field in message.field):
                    return message.name
        return ""

    @cached_property
    def _payload_fields(self) -> dict[str, str]:
        """The events by the numbers of the envelope's fields that carry them."""
        return {
            str(field.number): _type(field)
            for file in reversed(self._versions)
            for message in file.message_type
            if message.name == self._envelope
            for field in message.field
            if _type(field) in self._events
        }

    @cached_property
    def _holders(self) -> dict[str, tuple[str, ...]]:
        """The events that hold each type, themselves included; every event holds what the envelope holds."""
        holders: dict[str, set[str]] = {}
        everywhere = self._reached(self._envelope) if self._envelope else set()
        for event in self._events:
            for name in self._reached(event) | everywhere:
                holders.setdefault(name, set()).add(event)
        return {name: tuple(sorted(events)) for name, events in holders.items()}

    @cached_property
    def _uses(self) -> dict[str, set[str]]:
        uses: dict[str, set[str]] = {}
        for file in self._versions:
            for message in file.message_type:
                payloads = self._events if message.name == self._envelope else set()
                uses.setdefault(message.name, set()).update(_types(message) - payloads)
        return uses

    def _reached(self, name: str) -> set[str]:
        found: set[str] = set()
        todo = [name]
        while todo:
            if (at := todo.pop()) not in found:
                found.add(at)
                todo += self._uses.get(at, ())
        return found

    @cached_property
    def _names(self) -> dict[str, str]:
        """Names by paths that end in a number; empty for a oneof, whose fields are fields of its message."""
        return {path: name for file in reversed(self._versions) for path, name in _named(file, "")}


def _named(scope: Any, path: str) -> Iterator[tuple[str, str]]:
    for message in scope.nested_type if path else scope.message_type:
        here = f"{path}{message.name}"
        oneofs = [oneof.name for oneof in message.oneof_decl]
        yield from ((f"{here}/{oneof}", "") for oneof in oneofs)
        for field in message.field:
            yield f"{here}/{field.number}", field.name
            if field.HasField("oneof_index"):
                yield f"{here}/{oneofs[field.oneof_index]}/{field.number}", field.name
        yield from _named(message, f"{here}/")
    for enum in scope.enum_type:
        yield from ((f"{path}{enum.name}/{value.number}", value.name) for value in enum.value)


def _parts(path: str) -> list[str]:
    return [part for part in path.removeprefix("#").split("/") if part]


def _type(field: FieldDescriptorProto) -> str:
    """The name of a field's type at its file's top level: the only one that the contract uses."""
    return field.type_name.rpartition(".")[2]


def _types(message: DescriptorProto) -> set[str]:
    own = {_type(field) for field in message.field if field.type_name}
    return own.union(*(_types(nested) for nested in message.nested_type))


def _is_event(message: DescriptorProto) -> bool:
    try:
        known = MessageOptions.FromString(message.options.SerializeToString())
    except DecodeError:
        return False  # the number of the contract's option means something else in this file
    return known.HasExtension(options_pb2.event)
