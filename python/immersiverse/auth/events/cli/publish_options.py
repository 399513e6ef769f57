"""The options that say how events are published."""

from __future__ import annotations

from typing import Annotated

import typer

from immersiverse.auth.events.cli.choices import EventFormat

Format = Annotated[EventFormat, typer.Option("--format", "-f", help="How to write them.")]
SingleTopic = Annotated[bool, typer.Option("--single-topic", help="All on one topic.")]
AssignVersions = Annotated[
    bool,
    typer.Option(
        "--assign-versions",
        help="Number events that have no version, each user's from 1: for users nobody else numbers.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Only the figures, as JSON.")]
