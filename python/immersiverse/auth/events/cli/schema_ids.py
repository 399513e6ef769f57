"""The schema ids that events are written with: from a registry, or given."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from immersiverse.auth.events.cli.options.events import EventFormat
from immersiverse.auth.events.cli.options.registry import connected

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from immersiverse.auth.events.serialization.schemas import SchemaIds

PinnedId = Annotated[
    int | None,
    typer.Option("--schema-id", metavar="ID", min=0, help="The id for frames; no registry is asked then."),
]


def schema_ids(
    format: EventFormat,  # noqa: A002 - the option's name
    schema_id: int | None,
    url: str | None,
    settings: list[str] | None,
) -> AbstractContextManager[SchemaIds | None]:
    """Where ids come from, by what the options say; nowhere for JSON, which has none."""
    if format is EventFormat.JSON:
        return nullcontext()
    if schema_id is None:
        return connected(url, settings)
    from immersiverse.auth.events.serialization.schemas import PinnedSchemas

    return nullcontext(PinnedSchemas(protobuf=schema_id, avro=schema_id))
