"""Changes of a schema, drawn for people: each with who is affected and what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from immersiverse.auth.events.cli.options.registry import without_user_info
from immersiverse.auth.events.compatibility_level import Direction
from immersiverse.auth.events.printable import printable
from immersiverse.auth.events.schema_checks.changes import by_event
from immersiverse.auth.events.schema_checks.kinds import ChangeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from immersiverse.auth.events.schema_checks.changes import Change
    from immersiverse.auth.events.schema_checks.dry_run import DryRunResult
    from immersiverse.auth.events.schema_checks.verdict import SchemaVerdict

_SHOWN = 4
_INDENT = 6
_SIGNS = {True: "[green]+[/]", False: "[red]![/]"}
_ACTIONS = {
    "nothing": "registered already",
    "create": "new subject",
    "add": "new version",
    "fail": "not possible",
}
_RIGHT_ALIGNED = {"version", "id"}


def show_verdict(console: Console, verdict: SchemaVerdict, against: Sequence[str], rules: str) -> None:
    """The refused changes, and the verdict in one line."""
    versions = escape(_named(against))
    _show_changes(console, verdict.refused)
    for each in verdict.unjudged:
        _show_problem(console, each.sentence)
    if verdict.compatible:
        line = f"[green]compatible[/] with {versions}: {_harmless(verdict)} ({rules})"
    else:
        counts = ((len(verdict.refused), "refused"), (len(verdict.unjudged), "not compared"))
        line = ", ".join(f"{count} {what}" for count, what in counts if count)
        line = f"[red]{line}[/] against {versions} ({rules})"
    console.print(line, soft_wrap=True)


def show_by_event(console: Console, verdict: SchemaVerdict, against: Sequence[str]) -> None:
    """Every change, by event; messages that only moved are counted, since no reader can notice."""
    seen = [change for change in verdict.changes if change.kind is not ChangeKind.MESSAGE_MOVED]
    for events, group in by_event(seen).items():
        console.print(f"\n[bold]{_title(events)}[/]", soft_wrap=True)
        _show_changes(console, group)
    refused = len(verdict.refused)
    moved = len(verdict.changes) - len(seen)
    also = f", {moved} moved" if moved else ""
    colour = "red" if refused else "green"
    count = f"{len(seen)} change{'s' * (len(seen) != 1)}"
    console.print(
        f"\n{count} against {escape(_named(against))}{also}: [{colour}]{refused or 'none'} refused[/]"
    )


def show_dry_run(console: Console, results: Sequence[DryRunResult]) -> None:
    """What registering would do to each subject, and why a registry would refuse it."""
    table = Table(box=SIMPLE_HEAD)
    for name in ("Subject", "Type", "Would be", "Version", "Level", "Verdict"):
        table.add_column(name, justify="right" if name == "Version" else "left")
    for result in results:
        verdict = "[green]ok[/]" if result.compatible else "[red]refused[/]"
        version, action = str(result.version or ""), _ACTIONS[result.action]
        table.add_row(result.subject, result.type, action, version, result.level, verdict)
    console.print(table)
    for result in results:
        _show_changes(console, result.refused)
        if result.problem:
            _show_problem(console, result.problem)


def show_rows(console: Console, documents: Sequence[Mapping[str, object]]) -> None:
    """A table of the subjects of a registry."""
    table = Table(box=SIMPLE_HEAD)
    for name in documents[0]:
        table.add_column(name.capitalize(), justify="right" if name in _RIGHT_ALIGNED else "left")
    for document in documents:
        table.add_row(*("" if value is None else str(value) for value in document.values()))
    console.print(table)


def _named(against: Sequence[str]) -> str:
    """The earlier versions as they were given, without the user in a URL."""
    return without_user_info(", ".join(against))


def _harmless(verdict: SchemaVerdict) -> str:
    if not verdict.versions:
        return "there is no earlier version"
    count = len(verdict.changes)
    return f"{count} harmless change{'s' * (count != 1)}" if count else "nothing changed"


def _show_problem(console: Console, text: str) -> None:
    console.print(f"  [red]![/] {escape(printable(text))}", soft_wrap=True)


def _show_changes(console: Console, changes: Iterable[Change]) -> None:
    for change in changes:
        seen_from = " (read by the earlier version)" if change.direction is Direction.FORWARD else ""
        console.print(
            f"  {_SIGNS[change.compatible]} [bold]{escape(change.place)}[/]  {_sides(change)}{seen_from}"
            f"  [dim]{change.kind.value} {escape(change.path)} {escape(_source(change))}[/]",
            soft_wrap=True,
        )
        for line in Text.from_markup(_effect(change)).wrap(console, console.width - _INDENT):
            console.print(" " * _INDENT, line, sep="", soft_wrap=True)


def _title(events: tuple[str, ...]) -> str:
    if not events:
        return "No event"
    if len(events) > _SHOWN:
        return f"{len(events)} events: {', '.join(events[:_SHOWN])}, ..."
    return ", ".join(events)


def _sides(change: Change) -> str:
    """Both sides, or the one that there is."""
    if change.old and change.new:
        return f"{escape(change.old)} [dim]->[/] {escape(change.new)}"
    return f"{'added' if change.new else 'removed'}: {escape(change.new or change.old)}"


def _effect(change: Change) -> str:
    sentence = escape(change.sentence)
    if change.compatible or not change.affects:
        return f"[dim]{sentence}[/]"
    return f"[yellow]{', '.join(change.affects)}:[/] {sentence}"


def _source(change: Change) -> str:
    """Where it is: the file, or the version of a subject that it is about."""
    return f"against {change.against}" if change.subject else f"in {change.file}"
