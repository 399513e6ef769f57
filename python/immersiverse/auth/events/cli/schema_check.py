"""auth-events schema check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from immersiverse.auth.events.cli.options.registry import RegistrySettings  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.output import VERDICT, WRONG_USE, console, write_json
from immersiverse.auth.events.cli.schema_comparison import (
    Against,
    AllowEmpty,
    AsJson,
    CompatibilityLevel,
    LevelOption,
    New,
    RuleSet,
    RulesOption,
    SubjectTopics,
    compared,
    failures_told,
    named,
)
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.printable import printable

if TYPE_CHECKING:
    from immersiverse.auth.events.gate import Verdict


def check(
    new: New = None,
    *,
    against: Against,
    rules: RulesOption = RuleSet.STRICT,
    level: LevelOption = CompatibilityLevel.BACKWARD_TRANSITIVE,
    registry_config: RegistrySettings = None,
    topic: SubjectTopics = None,
    allow_empty: AllowEmpty = False,
    as_json: AsJson = False,
) -> None:
    """Say whether a change breaks anyone: exit code 0 if not, 1 if it does, 2 if a version cannot be read.

    Of a registry, every version of every subject is asked that the contract would be registered under.
    """
    with failures_told(as_json, compatible=None, changes=[]):
        verdict = compared(
            new,
            against,
            rules=rules,
            level=level,
            registry_config=registry_config,
            topics=topic,
            allow_empty=allow_empty,
        )
    if as_json:
        write_json(_document(verdict))
    else:
        _show(verdict, against, f"{rules}, {level}")
    if not verdict.compatible:
        unread = any(isinstance(each.reason, InvalidSchema) for each in verdict.unjudged)
        raise typer.Exit(WRONG_USE if unread else VERDICT)


def _document(verdict: Verdict) -> dict[str, Any]:
    document: dict[str, Any] = {
        "compatible": verdict.compatible,
        "changes": [judged.document() for judged in verdict.changes],
    }
    if verdict.unjudged:
        reasons = [{"subject": each.subject, "reason": each.sentence} for each in verdict.unjudged]
        document["unjudged"] = reasons
    return document


def _show(verdict: Verdict, against: list[str], asked: str) -> None:
    from rich.markup import escape

    from immersiverse.auth.events.cli.schema_diff_view import show_changes

    screen = console()
    versions = escape(named(against))
    show_changes(screen, verdict.refused)
    for each in verdict.unjudged:
        screen.print(f"  [red]![/] {escape(printable(each.sentence))}", soft_wrap=True)
    if verdict.compatible:
        screen.print(f"[green]compatible[/] with {versions}: {_harmless(verdict)} ({asked})", soft_wrap=True)
    else:
        counts = ((len(verdict.refused), "refused"), (len(verdict.unjudged), "not compared"))
        said = ", ".join(f"{count} {what}" for count, what in counts if count)
        screen.print(f"[red]{said}[/] against {versions} ({asked})", soft_wrap=True)


def _harmless(verdict: Verdict) -> str:
    if not verdict.versions:
        return "no earlier version is there to be asked"
    count = len(verdict.changes)
    return f"{count} harmless change{'s' * (count != 1)}" if count else "nothing changed"
