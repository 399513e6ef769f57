"""auth-events schema."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.commands import new_group
from immersiverse.auth.events.cli.options.events import SchemaForm, SchemaFormat
from immersiverse.auth.events.cli.options.registry import RegistrySettings, RegistryUrl, connected
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

    from immersiverse.auth.events.schema_checks.verdict import SchemaVerdict

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
New = Annotated[
    str | None,
    typer.Argument(
        metavar="NEW",
        help="The new version: a .proto file or folder, a descriptor set, a wheel, or git#REF. "
        "The contract of this checkout, else of this program, unless given.",
        show_default=False,
    ),
]
Against = Annotated[
    list[str],
    typer.Option(
        "--against",
        "-a",
        metavar="PATH|git#REF|URL",
        help="The earlier version: as NEW, or a registry. Repeat it for a history, oldest first.",
    ),
]
RulesOption = Annotated[
    Rules,
    typer.Option(
        "--rules", help="Strict also guards JSON, generated code, topics, keys; confluent is a registry's."
    ),
]
LevelOption = Annotated[
    Level,
    typer.Option("--level", case_sensitive=False, help="Who must be able to read whom."),
]
SubjectTopics = Annotated[
    list[str] | None,
    typer.Option("--topic", metavar="TOPIC", help="Only a registry's subject of this topic; repeat it."),
]
AllowEmpty = Annotated[
    bool,
    typer.Option(
        "--allow-empty",
        help="Take a place without .proto files, and the HEAD of a new repository, for an empty version.",
    ),
]


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
            _dry_run(client, topic, _types(format), form.value, as_json=as_json)
            return
        rows = register_contract(client, topic, _types(format), form.value)
    _show_rows([row.document() for row in rows], as_json=as_json)


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
    _show_rows([row.document() for row in rows], as_json=as_json)


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


@schema.command(
    short_help="Say whether a change of the contract breaks anyone.",
    epilog="Example: auth-events schema check --against git#main",
)
def check(
    new: New = None,
    *,
    against: Against,
    rules: RulesOption = Rules.STRICT,
    level: LevelOption = Level.BACKWARD_TRANSITIVE,
    registry_config: RegistrySettings = None,
    topic: SubjectTopics = None,
    allow_empty: AllowEmpty = False,
    as_json: AsJson = False,
) -> None:
    """Say whether a change breaks anyone: exit code 0 if not, 1 if it does, 2 if a version cannot be read.

    Of a registry, every version of every subject is checked that the contract would be registered under.
    """
    with _failures_as_json(as_json, compatible=None, changes=[]):
        verdict = _verdict(
            new, against, registry_config, rules=rules, level=level, topics=topic, allow_empty=allow_empty
        )
    if as_json:
        write_json(verdict.document())
    else:
        from immersiverse.auth.events.cli.views.schema import show_verdict

        show_verdict(console(), verdict, against, f"{rules}, {level}")
    if not verdict.compatible:
        raise typer.Exit(WRONG_USE if verdict.unreadable else VERDICT)


@schema.command(
    short_help="Show what changed, event by event.",
    epilog="Example: auth-events schema diff --against git#main",
)
def diff(
    new: New = None,
    *,
    against: Against,
    rules: RulesOption = Rules.STRICT,
    level: LevelOption = Level.BACKWARD_TRANSITIVE,
    registry_config: RegistrySettings = None,
    topic: SubjectTopics = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed, event by event: who is affected, and what to do instead of a breaking change."""
    with _failures_as_json(as_json):
        verdict = _verdict(new, against, registry_config, rules=rules, level=level, topics=topic)
    if as_json:
        from immersiverse.auth.events.schema_checks.changes import by_event

        groups = by_event(verdict.changes).items()
        write_json(
            [
                {"events": list(events), "changes": [judged.document() for judged in changes]}
                for events, changes in groups
            ]
        )
    else:
        from immersiverse.auth.events.cli.views.schema import show_by_event

        show_by_event(console(), verdict, against)
    for each in verdict.unjudged:
        warn(f"not compared: {each.sentence}")


def _verdict(
    new: str | None, against: Sequence[str], registry_config: list[str] | None, **options: Any
) -> SchemaVerdict:
    """The verdict on what the options name; without one the exit code is not that of a verdict.

    Raises:
        CommandFailed: a version cannot be read, or the registry cannot be asked.
    """
    from immersiverse.auth.events.schema_checks.check import check_change

    try:
        verdict = check_change(new, against, partial(connected, settings=registry_config), **options)
    except InvalidSchema as error:
        raise CommandFailed(str(error), WRONG_USE) from error
    except CommandFailed as error:
        raise CommandFailed(
            str(error), WRONG_USE if error.exit_code == VERDICT else error.exit_code
        ) from error
    for note in verdict.notes:
        warn(note)
    return verdict


def _dry_run(
    client: Any, topics: Sequence[str] | None, types: tuple[Any, ...], form: Any, *, as_json: bool
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
    """Write JSON also if there is no verdict, for programs that read standard output.

    Args:
        as_json: whether JSON was asked for.
        document: what stands in it beside the ``error``.
    """
    try:
        yield
    except AuthEventsError as error:
        if as_json:
            write_json({**document, "error": failure_of(error).line})
        raise


def _types(format: SchemaFormat) -> tuple[Any, ...]:  # noqa: A002 - the option's name
    return ("PROTOBUF", "AVRO") if format is SchemaFormat.ALL else (format.value.upper(),)


def _show_rows(documents: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        write_json(documents)
        return
    from immersiverse.auth.events.cli.views.schema import show_rows

    show_rows(console(), documents)
