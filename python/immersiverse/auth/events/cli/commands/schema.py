"""auth-events schema."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import typer
from typer import Argument, Option

from immersiverse.auth.events.cli.commands import CommandGroup
from immersiverse.auth.events.cli.options import AS_JSON
from immersiverse.auth.events.cli.options.events import SchemaForm, SchemaFormat
from immersiverse.auth.events.cli.options.registry import (
    REGISTRY_CONFIG,
    RegistryOptions,
    connected,
)
from immersiverse.auth.events.cli.output import (
    VERDICT,
    WRONG_USE,
    CommandFailed,
    console,
    failure_of,
    warn,
    write_json,
)
from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.errors import AuthEventsError, InvalidSchema
from immersiverse.auth.events.printable import printable
from immersiverse.auth.events.schema_checks.kinds import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.registry import SchemaRegistry
    from immersiverse.auth.events.registry.contract import Registered
    from immersiverse.auth.events.schema_checks.verdict import SchemaVerdict
    from immersiverse.auth.events.serialization.schemas import SchemaType

_TYPES: SchemaFormat = Option(SchemaFormat.ALL, "--format", "-f", help="Which schemas.")
_FORM: SchemaForm = Option(
    SchemaForm.TEXT,
    "--form",
    help="Protobuf as text, or as the descriptor that Confluent's Python client looks up.",
)
_TOPICS: list[str] | None = Option(
    None, "--topic", metavar="TOPIC", help="Only for this topic; repeat it. By default the contract's topics."
)

schema = CommandGroup("The contract in a Schema Registry.")


@dataclass(frozen=True, slots=True)
class ComparisonOptions:
    """Which versions are compared, and by which rules."""

    against: list[str] = Option(
        ...,
        "--against",
        "-a",
        metavar="PATH|git#REF|URL",
        help="The earlier version: as NEW, or a registry. Repeat it for a history, oldest first.",
    )
    new: str | None = Argument(
        None,
        metavar="NEW",
        show_default=False,
        help="The new version: a .proto file or folder, a descriptor set, a wheel, or git#REF. "
        "The contract of this checkout, else of this program, unless given.",
    )
    rules: Rules = Option(
        Rules.STRICT,
        "--rules",
        help="Strict also guards JSON, generated code, topics, keys; confluent is a registry's.",
    )
    level: Level = Option(
        Level.BACKWARD_TRANSITIVE, "--level", case_sensitive=False, help="Who must be able to read whom."
    )
    registry_config: list[str] | None = REGISTRY_CONFIG
    topic: list[str] | None = Option(
        None, "--topic", metavar="TOPIC", help="Only a registry's subject of this topic; repeat it."
    )


@schema.add(
    "register", "Register the contract.", "auth-events schema register --registry http://localhost:8081"
)
def register(
    *,
    registry: RegistryOptions,
    format: SchemaFormat = _TYPES,  # noqa: A002 - the option's name
    form: SchemaForm = _FORM,
    topic: list[str] | None = _TOPICS,
    dry_run: bool = Option(
        False, "--dry-run", help="Only say what would be registered, and the verdict on it."
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Register the contract, so that producers find its ids. Doing it again changes nothing.

    A dry run exits with 1 if the registry would refuse anything.
    """
    from immersiverse.auth.events.registry.subjects import register_contract

    with registry.connected() as client:
        if dry_run:
            _dry_run(client, topic, format.types, form.value, as_json=as_json)
            return
        found = register_contract(client, topic, format.types, form.value)
    _show_rows([_row(each.subject, each.schema_type, each) for each in found], as_json=as_json)


@schema.add(
    "list", "Show what a registry holds.", "auth-events schema list --registry http://localhost:8081 --json"
)
def list_(
    *,
    registry: RegistryOptions,
    format: SchemaFormat = _TYPES,  # noqa: A002 - the option's name
    topic: list[str] | None = _TOPICS,
    as_json: bool = AS_JSON,
) -> None:
    """Show what a registry holds for the contract, and whether it is this version of it."""
    from immersiverse.auth.events.registry.subjects import registered_contract

    with registry.connected() as client:
        found = registered_contract(client, topic, format.types)
    rows = [
        {**_row(each.subject, each.schema_type, each.latest), "contract": each.contract} for each in found
    ]
    _show_rows(rows, as_json=as_json)


def _row(subject: str, schema_type: str, version: Registered | None) -> dict[str, Any]:
    numbers = (version.version, version.id) if version else (None, None)
    return {"subject": subject, "type": schema_type, "version": numbers[0], "id": numbers[1]}


def _show_rows(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        write_json(rows)
        return
    from immersiverse.auth.events.cli.views.schema import show_rows

    show_rows(console(), rows)


@schema.add("show", "Print a schema.", "auth-events schema show --format avro")
def show(
    *,
    registry: RegistryOptions,
    format: SchemaFormat = Option(  # noqa: A002 - the option's name
        SchemaFormat.PROTOBUF, "--format", "-f", help="Which schema: protobuf or avro."
    ),
    form: SchemaForm = _FORM,
    topic: str = Option(
        "auth.events.user", "--topic", metavar="TOPIC", help="Whose schema a registry is asked for."
    ),
) -> None:
    """Print a schema: the latest in a registry, or the contract of this program if none is named."""
    from immersiverse.auth.events.registry.contract import contract_schema
    from immersiverse.auth.events.registry.subjects import latest_schema

    if format is SchemaFormat.ALL:
        raise CommandFailed("one schema at a time: --format protobuf or --format avro", WRONG_USE)
    (schema_type,) = format.types
    if not registry:
        print(contract_schema(schema_type, form.value).text)
        return
    with registry.connected() as client:
        text = latest_schema(client, topic, schema_type, form.value)
        subject = client.subject(topic, schema_type)
    if text is None:
        raise CommandFailed(f"nothing is registered under {subject!r}", VERDICT)
    print(printable(text, lines=True) if sys.stdout.isatty() else text)


@schema.add(
    "check",
    "Say whether a change of the contract breaks anyone.",
    "auth-events schema check --against git#main",
)
def check(
    *,
    comparison: ComparisonOptions,
    allow_empty: bool = Option(
        False,
        "--allow-empty",
        help="Take a place without .proto files, and the HEAD of a new repository, for an empty version.",
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Say whether a change breaks anyone: exit code 0 if not, 1 if it does, 2 if a version cannot be read.

    Of a registry, every version of every subject is checked that the contract would be registered under.
    """
    with _failures_as_json(as_json, compatible=None, changes=[]):
        verdict = _verdict(comparison, allow_empty=allow_empty)
    if as_json:
        write_json(verdict.document())
    else:
        from immersiverse.auth.events.cli.views.schema import show_verdict

        show_verdict(console(), verdict, comparison.against, f"{comparison.rules}, {comparison.level}")
    if not verdict.compatible:
        raise typer.Exit(WRONG_USE if verdict.unreadable else VERDICT)


@schema.add("diff", "Show what changed, event by event.", "auth-events schema diff --against git#main")
def diff(*, comparison: ComparisonOptions, as_json: bool = AS_JSON) -> None:
    """Show what changed, event by event: who is affected, and what to do instead of a breaking change."""
    with _failures_as_json(as_json):
        verdict = _verdict(comparison)
    if as_json:
        from immersiverse.auth.events.schema_checks.changes import by_event

        write_json(
            [
                {"events": list(events), "changes": [change.document() for change in changes]}
                for events, changes in by_event(verdict.changes).items()
            ]
        )
    else:
        from immersiverse.auth.events.cli.views.schema import show_by_event

        show_by_event(console(), verdict, comparison.against)
    for each in verdict.unjudged:
        warn(f"not compared: {each.sentence}")


def _verdict(comparison: ComparisonOptions, *, allow_empty: bool = False) -> SchemaVerdict:
    """The verdict on what the options name; without one the exit code is not that of a verdict."""
    from immersiverse.auth.events.schema_checks.check import check_change

    try:
        verdict = check_change(
            comparison.new,
            comparison.against,
            partial(connected, settings=comparison.registry_config),
            rules=comparison.rules,
            level=comparison.level,
            topics=comparison.topic,
            allow_empty=allow_empty,
        )
    except InvalidSchema as error:
        raise CommandFailed(str(error), WRONG_USE) from error
    except CommandFailed as error:
        exit_code = WRONG_USE if error.exit_code == VERDICT else error.exit_code
        raise CommandFailed(str(error), exit_code) from error
    for note in verdict.notes:
        warn(note)
    return verdict


def _dry_run(
    client: SchemaRegistry,
    topics: Sequence[str] | None,
    types: Sequence[SchemaType],
    form: Any,
    *,
    as_json: bool,
) -> None:
    from immersiverse.auth.events.schema_checks.dry_run import dry_run

    results = dry_run(client, topics, types, form)
    if as_json:
        write_json([result.document() for result in results])
    else:
        from immersiverse.auth.events.cli.views.schema import show_dry_run

        show_dry_run(console(), results)
    if not all(result.compatible for result in results):
        raise typer.Exit(VERDICT)


@contextmanager
def _failures_as_json(as_json: bool, **document: Any) -> Iterator[None]:
    """Write JSON also if there is no verdict: an ``error``, and what else the document always has."""
    try:
        yield
    except AuthEventsError as error:
        if as_json:
            write_json({**document, "error": failure_of(error).line})
        raise
