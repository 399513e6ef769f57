"""The options that name two versions of the contract, and their comparison."""

from __future__ import annotations

import re
from contextlib import contextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.options.registry import connected
from immersiverse.auth.events.cli.output import (
    VERDICT,
    WRONG_USE,
    CommandFailed,
    failure_of,
    warn,
    write_json,
)
from immersiverse.auth.events.errors import AuthEventsError, InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.compatibility import Level, Rules
    from immersiverse.auth.events.gate import Verdict, Version, View

_URLS = ("http://", "https://")
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


class RuleSet(StrEnum):
    """The rule sets, by the names that the verdicts have for them."""

    STRICT = "strict"
    CONFLUENT = "confluent"


class CompatibilityLevel(StrEnum):
    """Confluent's levels."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"


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
    RuleSet,
    typer.Option(
        "--rules", help="Strict also guards JSON, generated code, topics, keys; confluent is a registry's."
    ),
]
LevelOption = Annotated[
    CompatibilityLevel,
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
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def compared(
    new: str | None,
    against: Sequence[str],
    *,
    rules: RuleSet,
    level: CompatibilityLevel,
    registry_config: list[str] | None,
    topics: list[str] | None,
    allow_empty: bool = False,
) -> Verdict:
    """Compare what the options name.

    Raises:
        CommandFailed: a version cannot be read, or the registry cannot be asked.
    """
    from immersiverse.auth.events.compatibility import Level, Rules
    from immersiverse.auth.events.gate import judge, read, read_if_any

    read_one = read_if_any if allow_empty else read
    urls = [reference for reference in against if reference.startswith(_URLS)]
    others = [reference for reference in against if reference not in urls]
    asked: dict[str, Any] = {"level": Level(level), "rules": Rules(rules)}
    with _bad_input():
        version = _current() if new is None else read_one(new)
        like = Path(new) if new is not None and Path(new).exists() else None
        history = [read_one(reference, like=like) for reference in others]
        found = judge(version, history, views=_views(asked["rules"]), **asked)
        for url in urls:
            found += _registered(version, url, registry_config, topics, **asked)
    return found


def named(against: Sequence[str]) -> str:
    """The earlier versions as they were given, without the user in a URL."""
    return _USER_INFO.sub("***", ", ".join(against))


def _current() -> Version:
    from immersiverse.auth.events.gate import current_contract

    return current_contract()


def _views(rules: Rules) -> tuple[View, ...]:
    """The schemas that follow from the contract, as far as this installation can judge them."""
    from immersiverse.auth.events.compatibility import Rules

    if find_spec("fastavro"):
        return ("JSON Schema", "Avro")
    if rules is Rules.STRICT:
        warn("the Avro schema is not compared: pip install 'immersiverse-auth-events[avro]'")
    return ("JSON Schema",)


def _registered(
    version: Version,
    url: str,
    registry_config: list[str] | None,
    topics: list[str] | None,
    *,
    level: Level,
    rules: Rules,
) -> Verdict:
    from immersiverse.auth.events.gate import judge_registry
    from immersiverse.auth.events.gate.contract import is_installed

    types: tuple[Any, ...] = ("PROTOBUF", "AVRO")
    if not is_installed(version):
        warn("Avro is not compared: its schema follows from the bindings, and they are of another contract")
        types = ("PROTOBUF",)
    with connected(url, registry_config) as registry:
        return judge_registry(registry, version, topics=topics, types=types, level=level, rules=rules)


@contextmanager
def _bad_input() -> Iterator[None]:
    """A schema that cannot be read, and a registry that does not tell its own, are no verdict."""
    try:
        yield
    except InvalidSchema as error:
        raise CommandFailed(str(error), WRONG_USE) from error
    except CommandFailed as error:
        if error.exit_code == VERDICT:
            raise CommandFailed(str(error), WRONG_USE) from error
        raise


@contextmanager
def failures_told(as_json: bool, **document: Any) -> Iterator[None]:
    """Write JSON also if there is no verdict, for whoever reads standard output by program.

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
