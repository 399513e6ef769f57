"""Every change between two versions of a Protobuf schema."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from immersiverse.auth.events.schema_checks.changes import Change
from immersiverse.auth.events.schema_checks.kinds import ChangeKind, Rules
from immersiverse.auth.events.schema_checks.protobuf import strict
from immersiverse.auth.events.schema_checks.protobuf.model import (
    EnumPair,
    Finding,
    MessagePair,
    declarations,
    read_fields,
)
from immersiverse.auth.events.schema_checks.protobuf.types import compare_enums, compare_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor_pb2 import DescriptorProto

    from immersiverse.auth.events.schema_checks.protobuf.model import Scope, Step
    from immersiverse.auth.events.schema_checks.version import ProtoSchema

Key = tuple[str, str]


def compare(old: ProtoSchema, new: ProtoSchema, *, rules: Rules = Rules.CONFLUENT) -> list[Change]:
    """List every change that a reader of ``new`` meets in what a writer of ``old`` wrote.

    Both sides are walked once, messages by name and fields by number, so the time grows with their size
    alone. Types of imported files are compared once, where a field leads to them.

    Returns:
        The changes in the order of the old file, safe ones too; empty for equal schemas.

    Raises:
        InvalidSchema: a descriptor contradicts itself.
    """
    visited = _Walk(old, new, rules).visit()
    broken = _broken(visited)
    findings = (finding for steps in visited.values() for finding in _findings(steps, broken))
    return [Change(*finding, compatible=not rules.refuses(finding.kind)) for finding in findings]


class _Walk:
    """One walk through two schemas: the files, and then every pair of types that is reached, each once."""

    def __init__(self, old: ProtoSchema, new: ProtoSchema, rules: Rules) -> None:
        self._old = declarations(old)
        self._new = declarations(new)
        self._strict = rules is Rules.STRICT
        self._same_surroundings = old.root.syntax == new.root.syntax and old.dependencies == new.dependencies

    def visit(self) -> dict[Key, list[Step]]:
        """What was found in each pair, in the order of the old file; the files come first, by empty names."""
        visited = {("", ""): list(self._compare_files())}
        todo = _onward(visited["", ""])
        while todo:
            pair = todo.pop()
            if pair.key in visited:
                continue
            visited[pair.key] = list(self._compare(pair))
            todo += _onward(visited[pair.key])
        return visited

    def _compare_files(self) -> Iterator[Step]:
        before, after = self._old.file, self._new.file
        if before.package != after.package:
            yield Finding(ChangeKind.PACKAGE_CHANGED, "#/", before.package, after.package)
        if self._strict:
            yield from strict.compare_files(self._old, self._new)
        yield from _compare_scopes("#/", self._old.top, self._new.top)

    def _compare(self, pair: MessagePair | EnumPair) -> Iterator[Step]:
        if isinstance(pair, EnumPair):
            yield from strict.compare_imported_enums(pair)
        elif not self._same(pair):
            yield from self._compare_messages(pair)

    def _compare_messages(self, pair: MessagePair) -> Iterator[Step]:
        path = pair.old.path
        before, after = read_fields(pair.old, self._old), read_fields(pair.new, self._new)
        yield from compare_fields(path, before, after, self._old, self._new)
        if self._strict:
            yield from strict.compare_messages(pair, before, after, self._old, self._new)
        yield from _compare_scopes(f"{path}/", pair.old.nested, pair.new.nested)

    def _same(self, pair: MessagePair) -> bool:
        """Most messages do not change: with unchanged imports, equal descriptors mean the same."""
        return self._same_surroundings and pair.old.proto == pair.new.proto and _resolved(pair.old.proto)


def _resolved(message: DescriptorProto) -> bool:
    """Whether every type in a message is the same wherever the message stands, as compilers write it."""
    return all(
        not field.type_name or (field.type_name.startswith(".") and field.HasField("type"))
        for field in message.field
    ) and all(map(_resolved, message.nested_type))


def _compare_scopes(prefix: str, old: Scope, new: Scope) -> Iterator[Step]:
    """Compare what two files, or two messages, declare by the same names."""
    indexes = {name: index for index, name in enumerate(new.messages)}
    for index, (name, before) in enumerate(old.messages.items()):
        if (after := new.messages.get(name)) is None:
            yield Finding(ChangeKind.MESSAGE_REMOVED, prefix + name, old=f"message {name}")
            continue
        if indexes[name] != index:
            sides = f"message {index}", f"message {indexes[name]}"
            yield Finding(ChangeKind.MESSAGE_MOVED, prefix + name, *sides)
        yield MessagePair(before, after)
    for name in new.messages:
        if name not in old.messages:
            yield Finding(ChangeKind.MESSAGE_ADDED, prefix + name, new=f"message {name}")
    yield from compare_enums(prefix, old.enums, new.enums)


def _onward(steps: list[Step]) -> list[MessagePair | EnumPair]:
    """The pairs that the steps lead to, in reverse: they are popped from the end."""
    return [step for step in reversed(steps) if not isinstance(step, Finding)]


def _broken(visited: dict[Key, list[Step]]) -> set[Key]:
    """The pairs whose messages cannot be read, themselves or by something that they contain or lead to."""
    led_by: defaultdict[Key, list[Key]] = defaultdict(list)
    todo: list[Key] = []
    for key, steps in visited.items():
        for step in steps:
            if isinstance(step, MessagePair):
                led_by[step.key].append(key)
            elif isinstance(step, Finding) and Rules.CONFLUENT.refuses(step.kind):
                todo.append(key)
    broken: set[Key] = set()
    while todo:
        if (key := todo.pop()) not in broken:
            broken.add(key)
            todo += led_by[key]
    return broken


def _findings(steps: list[Step], broken: set[Key]) -> Iterator[Finding]:
    """The steps as findings: a field that leads to a broken pair is itself one."""
    for step in steps:
        if isinstance(step, Finding):
            yield step
        elif isinstance(step, MessagePair) and step.path and step.key in broken:
            yield Finding(ChangeKind.FIELD_NAMED_TYPE_CHANGED, step.path, step.old.name, step.new.name)
