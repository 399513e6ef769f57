"""The options that name two versions of the contract, and their comparison."""

from __future__ import annotations

import re
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.failures import WRONG_USE, CommandFailed
from immersiverse.auth.events.cli.output import warn
from immersiverse.auth.events.cli.registry_options import connected
from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.compatibility import Level, Rules
    from immersiverse.auth.events.gate import Verdict, Version

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
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def compared(
    new: str | None,
    against: Sequence[str],
    *,
    rules: RuleSet,
    level: CompatibilityLevel,
    registry_config: list[str] | None,
    topics: list[str] | None,
) -> Verdict:
    """Compare what the options name.

    Raises:
        CommandFailed: a version cannot be read, or the registry cannot be asked.
    """
    from immersiverse.auth.events.compatibility import Level, Rules
    from immersiverse.auth.events.gate import Verdict, judge

    urls = [reference for reference in against if reference.startswith(_URLS)]
    others = [reference for reference in against if reference not in urls]
    asked: dict[str, Any] = {"level": Level(level), "rules": Rules(rules)}
    with _bad_input():
        version = _new_version(new)
        found = judge(version, [_earlier(reference, new) for reference in others], **asked).changes
        for url in urls:
            found += _registered(version, url, registry_config, topics, **asked).changes
    return Verdict(found)


def named(against: Sequence[str]) -> str:
    """The earlier versions as they were given, without the user in a URL."""
    return _USER_INFO.sub("***", ", ".join(against))


def _new_version(new: str | None) -> Version:
    from immersiverse.auth.events.gate import current_contract, read

    return current_contract() if new is None else read(new)


def _earlier(reference: str, new: str | None) -> Version:
    from immersiverse.auth.events.gate import read

    like = Path(new) if new is not None and Path(new).exists() else None
    return read(reference, like=like)


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
    """A schema that cannot be read is no verdict on it."""
    try:
        yield
    except InvalidSchema as error:
        raise CommandFailed(str(error), WRONG_USE) from error
