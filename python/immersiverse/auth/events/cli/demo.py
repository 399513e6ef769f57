"""auth-events demo."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.output import console, write_json

if TYPE_CHECKING:
    from immersiverse.auth.events.cli.demo_progress import Progress
    from immersiverse.auth.events.cli.demo_view import View


def demo(
    *,
    events: Annotated[int, typer.Option("--events", "-n", metavar="N", min=1, help="How many.")] = 40_000,
    seed: Annotated[int, typer.Option("--seed", "-s", metavar="S", help="Which simulated world.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Only the summary, as JSON.")] = False,
) -> None:
    """Watch authentication events travel: simulated, published to Kafka, read back, counted as they arrive.

    Everything runs in this process: a broker, a registry with the contract, a producer and a consumer.
    """
    from immersiverse.auth.events.cli.demo_progress import Progress, summary
    from immersiverse.auth.events.cli.demo_view import view_on

    progress = Progress(events)
    _travel(progress, seed, view_on(console(), silent=as_json))
    if as_json:
        write_json(summary(progress))


def _travel(progress: Progress, seed: int, view: View) -> None:
    from immersiverse.auth.events.embedded.journey import Journey
    from immersiverse.auth.events.embedded.stack import EmbeddedStack
    from immersiverse.auth.events.simulation import simulate

    view.starting()
    with EmbeddedStack() as stack:
        journey = Journey(stack.bootstrap, stack.registry_url, simulate(seed, progress.wanted))
        with view.running(progress), closing(journey.arrivals()) as arrivals:
            for batch in arrivals:
                progress.take(batch, journey.bytes)
                view.show(progress)
    view.ended(progress)
