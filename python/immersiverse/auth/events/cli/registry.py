"""auth-events registry."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import Annotated

import typer

from immersiverse.auth.events.cli.commands import new_group

registry = new_group("A Schema Registry of your own, for development.")


@registry.command(
    short_help="Answer registry clients until stopped.",
    epilog="Example: auth-events registry serve --port 8081 --file registry.json",
)
def serve(
    *,
    port: Annotated[
        int,
        typer.Option("--port", "-p", metavar="PORT", min=0, max=65_535, help="The port; 0 for a free one."),
    ] = 8081,
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="PATH", help="Keep what is registered in this file.", dir_okay=False),
    ] = None,
) -> None:
    """Run a Schema Registry in this process, until stopped.

    It checks compatibility by the rules of schema check, and asks for no credentials.
    """
    from immersiverse.auth.events.cli.output import until_stopped
    from immersiverse.auth.events.testing.registry import EmbeddedRegistry

    with until_stopped() as stopped, EmbeddedRegistry(host, port, file) as running:
        print(running.url, flush=True)
        stopped.wait()
