"""What a version of the contract must be by itself: complete, and within what is supported.

The strict rules compare two versions; these find what a comparison cannot, such as an event that says no
topic, or a string that says nothing of personal data.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Proto
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from immersiverse.auth.events.catalog import OPTIONS_FILE
from immersiverse.auth.events.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor_pb2 import DescriptorProto

_BLOCK = 16  # payload fields of one topic have numbers that begin at a multiple of it
_ALIKE = 0.9  # of two topics' names: a misspelling
_WELL_KNOWN: Final = ("Duration", "FieldMask", "Timestamp")
_IMPORTS: Final = {
    OPTIONS_FILE.name, "google/protobuf/duration.proto", "google/protobuf/field_mask.proto",
    "google/protobuf/timestamp.proto",
}  # fmt: skip


class ContractFault(NamedTuple):
    """One thing that the contract must not be: where, by which rule, and what to do."""

    path: str
    rule: str
    text: str


def contract_faults(file: FileDescriptorProto) -> list[ContractFault]:
    """Everything that is wrong with a contract file by itself, in the order of the file.

    Args:
        file: the file that declares the envelope, its first message.
    """
    known = _known(file)
    if known is None or not known.message_type:
        return [ContractFault("#/", "OPTIONS", "declares no envelope, or options of another kind")]
    return [*_scope(known), *_payload_fields(known), *_events(known), *_fields(known)]


def _known(file: FileDescriptorProto) -> FileDescriptorProto | None:
    """The file with the contract's options parsed; None if their numbers mean something else in it."""
    try:
        return FileDescriptorProto.FromString(file.SerializeToString())
    except DecodeError:
        return None


# What no part of this package maps: JSON, Avro, validation and redaction know the rest.


def _scope(file: FileDescriptorProto) -> Iterator[ContractFault]:
    def unsupported(path: str, what: str) -> ContractFault:
        return ContractFault(path, "UNSUPPORTED", f"{what}: the contract is messages and enums of proto3")

    if file.syntax != "proto3":
        yield unsupported("#/", f"the syntax is {file.syntax or 'proto2'}")
    for path in file.dependency:
        if path not in _IMPORTS:
            yield unsupported("#/", f"{path} is imported")
    for service in file.service:
        yield unsupported("#/", f"service {service.name}")
    for name, message in _messages(file):
        for extension in message.extension:
            yield unsupported(f"#/{name}", f"extension {extension.name}")
    for extension in file.extension:
        yield unsupported("#/", f"extension {extension.name}")
    yield from _recursive(file)


def _recursive(file: FileDescriptorProto) -> Iterator[ContractFault]:
    """Messages that contain themselves, which neither Avro nor a limit on depth has room for."""
    holds = {
        f".{file.package}.{name.replace('/', '.')}": {field.type_name for field in message.field}
        for name, message in _messages(file)
    }
    for name, held in holds.items():
        reached: set[str] = set()
        todo = list(held)
        while todo:
            if (at := todo.pop()) not in reached:
                reached.add(at)
                todo += holds.get(at, ())
        if name in reached:
            path = name.removeprefix(f".{file.package}.").replace(".", "/")
            yield ContractFault(f"#/{path}", "UNSUPPORTED", "contains itself: refer to it by its id instead")


# The envelope's payload fields, by blocks of numbers.


def _payload_fields(file: FileDescriptorProto) -> Iterator[ContractFault]:
    envelope = file.message_type[0]
    topics = _topics(file)
    blocks: dict[int, str] = {}  # the topic of the first event in each
    fields = sorted(_in_payload(envelope), key=lambda field: field.number)
    for field in fields:
        path = f"#/{envelope.name}/payload/{field.number}"
        topic = topics.get(_short(field.type_name))
        if topic is None:
            text = f"{_short(field.type_name)} has no option (event): say its topic and partition key"
            yield ContractFault(path, "EVENT_WITHOUT_OPTIONS", text)
        elif field.number < _BLOCK:
            yield ContractFault(
                path, "NUMBER_OUTSIDE_RANGE", f"numbers below {_BLOCK} are the envelope's own"
            )
        elif blocks.setdefault(field.number // _BLOCK, topic) != topic:
            text = f"{_range(field.number)} are of {blocks[field.number // _BLOCK]}, not of {topic}"
            yield ContractFault(path, "NUMBER_OUTSIDE_RANGE", f"{text}: correct the topic or the number")
        else:
            yield from _needless_block(path, field.number, topic, envelope, blocks)
    twice = [f for n, f in enumerate(fields) if f.type_name in {other.type_name for other in fields[:n]}]
    for field in twice:
        path = f"#/{envelope.name}/payload/{field.number}"
        yield ContractFault(
            path, "EVENT_TWICE", f"{_short(field.type_name)} is in another payload field, too"
        )


def _needless_block(
    path: str, number: int, topic: str, envelope: DescriptorProto, blocks: dict[int, str]
) -> Iterator[ContractFault]:
    """A number in a block of its own, while its topic's block has free ones."""
    taken = {field.number for field in envelope.field}
    taken |= {
        n for reserved in envelope.reserved_range for n in range(reserved.start, min(reserved.end, 4096))
    }
    for block, owner in blocks.items():
        free = [n for n in range(block * _BLOCK, (block + 1) * _BLOCK) if n not in taken]
        if owner == topic and block < number // _BLOCK and free:
            text = f"is not one of {topic}, which are {_range(free[0])}: {free[0]} is free"
            yield ContractFault(path, "NUMBER_OUTSIDE_RANGE", text)
            return


def _range(number: int) -> str:
    start = number // _BLOCK * _BLOCK
    return f"the numbers {start} to {start + _BLOCK - 1}"


# Events: messages with the option.


def _events(file: FileDescriptorProto) -> Iterator[ContractFault]:
    carried = {_short(field.type_name) for field in _in_payload(file.message_type[0])}
    contract = file.options.Extensions[options_pb2.contract]
    counts: dict[str, int] = {}
    for topic in _topics(file).values():
        counts[topic] = counts.get(topic, 0) + 1
    for message in file.message_type:
        if not message.options.HasExtension(options_pb2.event):
            continue
        path, event = f"#/{message.name}", message.options.Extensions[options_pb2.event]
        if message.name not in carried:
            text = f"no payload field of {file.message_type[0].name} carries it: add one to the oneof"
            yield ContractFault(path, "EVENT_WITHOUT_PAYLOAD_FIELD", text)
        if fault := _topic_fault(event.topic, contract, counts):
            yield ContractFault(path, "TOPIC", fault)
        yield from _key_faults(path, message, list(event.partition_key))


def _topic_fault(topic: str, contract: options_pb2.ContractOptions, counts: dict[str, int]) -> str:
    if not topic:
        return "the option (event) says no topic"
    if not topic.startswith(f"{contract.single_topic}.") or topic == contract.dead_letter_topic:
        return f"{topic} is no topic for events: they begin with {contract.single_topic}."
    others = [other for other, count in counts.items() if other != topic and count > counts[topic]]
    close = get_close_matches(topic, others, n=1, cutoff=_ALIKE)
    return f"{topic} is almost {close[0]}: correct it, or choose a name that is not" if close else ""


def _key_faults(path: str, message: DescriptorProto, keys: list[str]) -> Iterator[ContractFault]:
    strings = [
        f.name for f in message.field if f.type == Proto.TYPE_STRING and f.label != Proto.LABEL_REPEATED
    ]
    if not keys:
        yield ContractFault(path, "PARTITION_KEY", "the option (event) names no partition key")
    for key in keys:
        if key not in strings:
            close = get_close_matches(key, strings, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            text = f"partition key {key!r} is no string field of {message.name}{hint}"
            yield ContractFault(path, "PARTITION_KEY", text)


# Fields.


def _fields(file: FileDescriptorProto) -> Iterator[ContractFault]:
    for name, message in _messages(file):
        entries = {nested.name for nested in message.nested_type if nested.options.map_entry}
        for field in message.field:
            path = f"#/{name}/{field.number}"
            if what := _unsupported_type(field, entries):
                yield ContractFault(path, "UNSUPPORTED", f"{field.name} {what}")
            rules = field.options.Extensions[options_pb2.field]
            if field.type in (Proto.TYPE_STRING, Proto.TYPE_BYTES) and not rules.personal_data:
                text = f"{field.name} states no class of personal data: PERSONAL_DATA_NONE, or which"
                yield ContractFault(path, "PERSONAL_DATA", text)


def _unsupported_type(field: Proto, map_entries: set[str]) -> str:
    name = _short(field.type_name)
    if field.type == Proto.TYPE_GROUP:
        return "is a group: use a message"
    if field.type in (Proto.TYPE_UINT64, Proto.TYPE_FIXED64):
        return "has 64 bits without a sign, more than Avro's long: use int64"
    if name in map_entries:
        return "is a map: use a repeated message of key and value, whose fields have rules"
    if field.type_name.startswith(".google.protobuf.") and name not in _WELL_KNOWN:
        return f"is a {name}: of the well-known messages, use {', '.join(_WELL_KNOWN)}"
    return ""


def _messages(scope: Any, outer: str = "") -> Iterator[tuple[str, DescriptorProto]]:
    """Every message of a file with its path, map entries left out."""
    for message in scope.nested_type if outer else scope.message_type:
        if not message.options.map_entry:
            yield f"{outer}{message.name}", message
            yield from _messages(message, f"{outer}{message.name}/")


def _in_payload(envelope: DescriptorProto) -> list[Proto]:
    oneofs = [oneof.name for oneof in envelope.oneof_decl]
    return [f for f in envelope.field if f.HasField("oneof_index") and oneofs[f.oneof_index] == "payload"]


def _topics(file: FileDescriptorProto) -> dict[str, str]:
    """The topic of each event by its message's name."""
    events = [message for message in file.message_type if message.options.HasExtension(options_pb2.event)]
    return {message.name: message.options.Extensions[options_pb2.event].topic for message in events}


def _short(type_name: str) -> str:
    return type_name.rpartition(".")[2]
