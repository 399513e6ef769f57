"""auth-events schema diff."""

from __future__ import annotations

from immersiverse.auth.events.cli.options.registry import RegistrySettings  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.output import console, warn, write_json
from immersiverse.auth.events.cli.schema_comparison import (
    Against,
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


def diff(
    new: New = None,
    *,
    against: Against,
    rules: RulesOption = RuleSet.STRICT,
    level: LevelOption = CompatibilityLevel.BACKWARD_TRANSITIVE,
    registry_config: RegistrySettings = None,
    topic: SubjectTopics = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed, event by event: who is affected, and how to do it instead where somebody breaks."""
    from immersiverse.auth.events.cli.schema_diff_view import by_event, show_by_event

    with failures_told(as_json):
        verdict = compared(
            new, against, rules=rules, level=level, registry_config=registry_config, topics=topic
        )
    if as_json:
        groups = by_event(verdict.changes).items()
        write_json(
            [
                {"events": list(events), "changes": [judged.document() for judged in changes]}
                for events, changes in groups
            ]
        )
    else:
        show_by_event(console(), verdict.changes, named(against))
    for each in verdict.unjudged:
        warn(f"not compared: {each.sentence}")
