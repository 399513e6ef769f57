"""auth-events schema."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.commands import new_group
from immersiverse.auth.events.cli.options.events import SchemaForm, SchemaFormat
from immersiverse.auth.events.cli.options.registry import RegistrySettings, RegistryUrl, connected
from immersiverse.auth.events.cli.output import VERDICT, WRONG_USE, CommandFailed, console, write_json
from immersiverse.auth.events.cli.schema_check import check
from immersiverse.auth.events.cli.schema_diff import diff
from immersiverse.auth.events.cli.schema_rehearsal import rehearse
from immersiverse.auth.events.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

schema = new_group("The contract in a Schema Registry.")

Format = Annotated[SchemaFormat, typer.Option("--format", "-f", help="Which schemas.")]
Form = Annotated[
    SchemaForm,
    typer.Option(
        "--form", help="Protobuf as text, or as the descriptor that Confluent's serializers look up."
    ),
]
Topics = Annotated[
    list[str] | None,
    typer.Option(
        "--topic", metavar="TOPIC", help="Only for this topic; repeat it. The contract's topics unless given."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@schema.command(
    short_help="Register the contract.",
    epilog="Example: auth-events schema register --registry http://localhost:8081",
)
def register(
    *,
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
    format: Format = SchemaFormat.ALL,  # noqa: A002 - the option's name
    form: Form = SchemaForm.TEXT,
    topic: Topics = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be registered, and the verdict on it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Register the contract, so that producers find its ids. Doing it again changes nothing.

    A dry run exits with 1 if the registry would refuse anything.
    """
    from immersiverse.auth.events.cli.contract_subjects import register_contract

    with connected(registry, registry_config) as client:
        if dry_run:
            rehearse(client, topic, _types(format), form.value, as_json=as_json)
            return
        rows = register_contract(client, topic, _types(format), form.value)
    _show(rows, as_json=as_json)


@schema.command(
    "list",
    short_help="Show what a registry holds.",
    epilog="Example: auth-events schema list --registry http://localhost:8081 --json",
)
def list_(
    *,
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
    format: Format = SchemaFormat.ALL,  # noqa: A002 - the option's name
    topic: Topics = None,
    as_json: AsJson = False,
) -> None:
    """Show what a registry holds for the contract, and whether it is this version of it."""
    from immersiverse.auth.events.cli.contract_subjects import registered_contract

    with connected(registry, registry_config) as client:
        rows = registered_contract(client, topic, _types(format))
    _show(rows, as_json=as_json)


@schema.command(
    short_help="Print a schema.",
    epilog="Example: auth-events schema show --format avro",
)
def show(
    *,
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
    format: Annotated[  # noqa: A002 - the option's name
        SchemaFormat, typer.Option("--format", "-f", help="Which schema: protobuf or avro.")
    ] = SchemaFormat.PROTOBUF,
    form: Form = SchemaForm.TEXT,
    topic: Annotated[
        str, typer.Option("--topic", metavar="TOPIC", help="Whose schema a registry is asked for.")
    ] = "auth.events.user",
) -> None:
    """Print a schema: the latest in a registry, or the contract of this program if none is named."""
    from immersiverse.auth.events.cli import contract_subjects

    if format is SchemaFormat.ALL:
        raise CommandFailed("one schema at a time: --format protobuf or --format avro", WRONG_USE)
    schema_type = _types(format)[0]
    if registry is None and not registry_config:
        print(contract_subjects.own_schema(schema_type, form.value))
        return
    with connected(registry, registry_config) as client:
        text = contract_subjects.latest_schema(client, topic, schema_type, form.value)
        subject = client.subject(topic, schema_type)
    if text is None:
        raise CommandFailed(f"nothing is registered under {subject!r}", VERDICT)
    print(printable(text, lines=True) if sys.stdout.isatty() else text)


schema.command(
    short_help="Say whether a change of the contract breaks anyone.",
    epilog="Example: auth-events schema check --against git#main",
)(check)
schema.command(
    short_help="Show what changed, event by event.",
    epilog="Example: auth-events schema diff --against git#main",
)(diff)


def _types(format: SchemaFormat) -> tuple[Any, ...]:  # noqa: A002 - the option's name
    return ("PROTOBUF", "AVRO") if format is SchemaFormat.ALL else (format.value.upper(),)


def _show(rows: Iterable[Any], *, as_json: bool) -> None:
    documents = [row.document() for row in rows]
    if as_json:
        write_json(documents)
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for name in documents[0]:
        table.add_column(name.capitalize(), justify="right" if name in ("version", "id") else "left")
    for document in documents:
        table.add_row(*("" if value is None else str(value) for value in document.values()))
    console().print(table)
