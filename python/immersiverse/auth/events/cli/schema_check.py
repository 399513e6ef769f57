"""auth-events schema check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from immersiverse.auth.events.cli.failures import VERDICT
from immersiverse.auth.events.cli.output import console, write_json
from immersiverse.auth.events.cli.registry_options import RegistrySettings  # noqa: TC001 - typer reads it
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
    named,
)

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
        changes = [judged.document() for judged in verdict.changes]
        write_json({"compatible": verdict.compatible, "changes": changes})
    else:
        _show(verdict, against, f"{rules}, {level}")
    if not verdict.compatible:
        raise typer.Exit(VERDICT)


def _show(verdict: Verdict, against: list[str], asked: str) -> None:
    from rich.markup import escape

    from immersiverse.auth.events.cli.schema_diff_view import show_changes

    screen = console()
    versions = escape(named(against))
    show_changes(screen, verdict.refused)
    if verdict.compatible:
        count = len(verdict.changes)
        harmless = f"{count} harmless change{'s' * (count != 1)}" if count else "nothing changed"
        screen.print(f"[green]compatible[/] with {versions}: {harmless} ({asked})", soft_wrap=True)
    else:
        count = len(verdict.refused)
        screen.print(f"[red]{count} refused[/] against {versions} ({asked})", soft_wrap=True)
