"""What a change is about: which events it concerns, and the names on its path."""

from __future__ import annotations

from collections import defaultdict
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
        messages = [message for file in (old, new) for message in file.message_type]
        events = {message.name for message in messages if _is_event(message)}
        firsts = [message for file in (new, old) for message in file.message_type[:1]]
        self._events = tuple(sorted(events))
        self._envelope = next((m.name for m in firsts if any(_type(f) in events for f in m.field)), "")
        self._payload_fields = {
            str(field.number): _type(field)
            for message in messages
            if message.name == self._envelope
            for field in message.field
            if _type(field) in events
        }
        self._holders = self._found_holders(messages)
        # Those of the later version count.
        self._names = {path: name for file in (old, new) for path, name in _named(file, "")}

    def events(self, path: str) -> tuple[str, ...]:
        """The names of the events that a change concerns, in order of their names; empty if none holds it."""
        parts = _parts(path)
        if not parts:
            return self._events
        event = self._payload_fields.get(parts[-1]) if parts[0] == self._envelope else None
        return (event,) if event else tuple(sorted(self._holders[parts[0]]))

    def place(self, path: str) -> str:
        """A path with names instead of numbers, such as ``LoginFailed.reason``."""
        parts = _parts(path)
        named = [self._names.get("/".join(parts[: count + 1]), part) for count, part in enumerate(parts)]
        return ".".join(name for name in named if name) or "the file"

    def _found_holders(self, messages: list[DescriptorProto]) -> defaultdict[str, set[str]]:
        """The events that hold each type, themselves included; every event holds what the envelope holds."""
        uses: defaultdict[str, set[str]] = defaultdict(set)
        for message in messages:
            uses[message.name] |= _types(message)
        uses[self._envelope] -= set(self._events)
        holders: defaultdict[str, set[str]] = defaultdict(set)
        for event in self._events:
            todo = [event, self._envelope]
            while todo:
                if event not in holders[at := todo.pop()]:
                    holders[at].add(event)
                    todo += uses[at]
        return holders


def _named(scope: Any, path: str) -> Iterator[tuple[str, str]]:
    """Names by paths that end in a number; empty for a oneof, whose fields are fields of its message."""
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
