"""The options that say how dead letters are sent back."""

from __future__ import annotations

from typing import Annotated

import typer

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")]
Rate = Annotated[
    float | None, typer.Option("--rate", metavar="N", min=0.01, help="At most so many a second.")
]
MaxRounds = Annotated[
    int,
    typer.Option("--max-rounds", metavar="N", min=1, help="Leave letters that were sent back so often."),
]
AllowTopics = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-topic",
        metavar="TOPIC",
        help="Letters may go back to this topic, too; repeat it. Only to the contract's if none.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Only the figures, as JSON.")]
