"""Changes, drawn for people: event by event, each with who is affected and what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.text import Text

from immersiverse.auth.events.compatibility import ChangeKind, Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from immersiverse.auth.events.gate import JudgedChange

    Groups = dict[tuple[str, ...], list[JudgedChange]]

_FEW = 4
_INDENT = 6
_SIGNS = {True: "[green]+[/]", False: "[red]![/]"}


def by_event(changes: Iterable[JudgedChange]) -> Groups:
    """The changes by the events that they concern; changes of one event first, the refused first in each."""
    groups: Groups = {}
    for judged in changes:
        groups.setdefault(judged.events, []).append(judged)
    for group in groups.values():
        group.sort(key=lambda judged: judged.change.compatible)
    return dict(sorted(groups.items(), key=lambda item: (not item[0], len(item[0]), item[0])))


def show_by_event(console: Console, changes: Sequence[JudgedChange], against: str) -> None:
    """Every change, by event; messages that only moved are counted, since nobody can tell."""
    seen = [judged for judged in changes if judged.change.kind is not ChangeKind.MESSAGE_MOVED]
    for events, group in by_event(seen).items():
        console.print(f"\n[bold]{_title(events)}[/]", soft_wrap=True)
        show_changes(console, group)
    broken = sum(not judged.change.compatible for judged in changes)
    moved = len(changes) - len(seen)
    also = f", {moved} moved" if moved else ""
    colour = "red" if broken else "green"
    count = f"{len(seen)} change{'s' * (len(seen) != 1)}"
    console.print(f"\n{count} against {escape(against)}{also}: [{colour}]{broken or 'none'} refused[/]")


def show_changes(console: Console, changes: Iterable[JudgedChange]) -> None:
    """Changes one after another."""
    for judged in changes:
        change = judged.change
        seen_from = " (read by the earlier version)" if change.direction is Direction.FORWARD else ""
        console.print(
            f"  {_SIGNS[change.compatible]} [bold]{escape(judged.place)}[/]  {_words(judged)}{seen_from}"
            f"  [dim]{change.kind.value} {escape(change.path)} {escape(_place(judged))}[/]",
            soft_wrap=True,
        )
        for line in Text.from_markup(_effect(judged)).wrap(console, console.width - _INDENT):
            console.print(" " * _INDENT, line, sep="", soft_wrap=True)


def _title(events: tuple[str, ...]) -> str:
    if not events:
        return "No event"
    if len(events) > _FEW:
        return f"{len(events)} events: {', '.join(events[:_FEW])}, ..."
    return ", ".join(events)


def _words(judged: JudgedChange) -> str:
    """Both sides, or the one that there is."""
    change = judged.change
    if change.old and change.new:
        return f"{escape(change.old)} [dim]->[/] {escape(change.new)}"
    return f"{'added' if change.new else 'removed'}: {escape(change.new or change.old)}"


def _effect(judged: JudgedChange) -> str:
    change = judged.change
    sentence = escape(change.sentence)
    if change.compatible or not change.affects:
        return f"[dim]{sentence}[/]"
    return f"[yellow]{', '.join(change.affects)}:[/] {sentence}"


def _place(judged: JudgedChange) -> str:
    """Where it is: the file, the version of a subject that it is about, or what follows from the contract."""
    if judged.view:
        return f"in the contract's {judged.view}"
    return f"against {judged.against}" if judged.subject else f"in {judged.file}"
