"""Every change between two versions of a schema."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility import strict
from immersiverse.auth.events.compatibility.changes import Change
from immersiverse.auth.events.compatibility.declarations import Declarations, declarations
from immersiverse.auth.events.compatibility.fields import read_fields
from immersiverse.auth.events.compatibility.findings import EnumPair, Finding, MessagePair, Step
from immersiverse.auth.events.compatibility.kinds import ChangeKind
from immersiverse.auth.events.compatibility.messages import compare_fields, compare_scopes
from immersiverse.auth.events.compatibility.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.compatibility.schema import Schema

Key = tuple[str, str]


def compare(old: Schema, new: Schema, *, rules: Rules = Rules.CONFLUENT) -> list[Change]:
    """List every change that a reader of ``new`` meets in what a writer of ``old`` wrote.

    Both sides are walked once, messages by name and fields by number, so the time grows with their size
    alone. Types of imported files are compared once, where a field leads to them.

    Returns:
        The changes in the order of the old file, harmless ones too; empty for equal schemas.
    """
    visited = _visit(declarations(old), declarations(new), rules)
    broken = _broken(visited)
    findings = (finding for steps in visited.values() for finding in _findings(steps, broken))
    return [Change(*finding, compatible=not rules.breaks(finding.kind)) for finding in findings]


def _visit(old: Declarations, new: Declarations, rules: Rules) -> dict[Key, list[Step]]:
    """Compare the files and then every pair of types that is reached, each pair once."""
    visited = {("", ""): list(_compare_files(old, new, rules))}
    todo = _onward(visited["", ""])
    while todo:
        pair = todo.pop()
        if pair.key in visited:
            continue
        visited[pair.key] = list(_compare_pair(pair, old, new, rules))
        todo += _onward(visited[pair.key])
    return visited


def _onward(steps: list[Step]) -> list[MessagePair | EnumPair]:
    """The pairs that the steps lead to, the first last: it is taken from the end."""
    return [step for step in reversed(steps) if not isinstance(step, Finding)]


def _compare_files(old: Declarations, new: Declarations, rules: Rules) -> Iterator[Step]:
    if old.file.package != new.file.package:
        yield Finding(ChangeKind.PACKAGE_CHANGED, "#/", old.file.package, new.file.package)
    if rules is Rules.STRICT:
        yield from strict.compare_files(old, new)
    yield from compare_scopes("#/", old.top, new.top)


def _compare_pair(
    pair: MessagePair | EnumPair, old: Declarations, new: Declarations, rules: Rules
) -> Iterator[Step]:
    if isinstance(pair, EnumPair):
        yield from strict.compare_imported_enums(pair)
        return
    before, after = read_fields(pair.old, old), read_fields(pair.new, new)
    yield from compare_fields(pair.old.path, before, after, old, new)
    if rules is Rules.STRICT:
        yield from strict.compare_messages(pair, before, after, old, new)
    yield from compare_scopes(f"{pair.old.path}/", pair.old.nested, pair.new.nested)


def _broken(visited: dict[Key, list[Step]]) -> set[Key]:
    """The pairs whose messages cannot be read, themselves or by something that they contain or lead to."""
    led_by: defaultdict[Key, list[Key]] = defaultdict(list)
    todo: list[Key] = []
    for key, steps in visited.items():
        for step in steps:
            if isinstance(step, MessagePair):
                led_by[step.key].append(key)
            elif isinstance(step, Finding) and Rules.CONFLUENT.breaks(step.kind):
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
