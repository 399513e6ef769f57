"""auth-events simulate."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from immersiverse.auth.events.cli.output import write_lines

_DEFAULT_START = datetime(2025, 6, 2, 7, tzinfo=UTC)


def simulate(
    *,
    events: Annotated[int, typer.Option("--events", "-n", metavar="N", min=0, help="How many events.")] = 100,
    seed: Annotated[
        int, typer.Option("--seed", "-s", metavar="S", help="Which world; the same seed, the same events.")
    ] = 1,
    start: Annotated[
        datetime,
        typer.Option(
            "--start", metavar="TIME", help="When the world begins, in UTC.", formats=["%Y-%m-%dT%H:%M:%S"]
        ),
    ] = _DEFAULT_START,
) -> None:
    """Invent events, one JSON object a line: users, logins, failures, attacks, platforms.

    Nothing in them is real: addresses are those reserved for documentation, mails go to example.com.
    """
    from immersiverse.auth.events.serialization.json import JsonCodec
    from immersiverse.auth.events.simulation import simulate as happening

    encode = JsonCodec().encode
    write_lines(encode(event) for event in happening(seed, events, start=start.replace(tzinfo=UTC)))
