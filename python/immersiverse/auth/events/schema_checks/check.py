"""A change checked against everything that a user names: earlier versions and registries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from immersiverse.auth.events.schema_checks.registry import judge_registry
from immersiverse.auth.events.schema_checks.sources import read
from immersiverse.auth.events.schema_checks.sources.contract import current_contract, is_installed
from immersiverse.auth.events.schema_checks.verdict import SchemaVerdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from immersiverse.auth.events.compatibility_level import Level
    from immersiverse.auth.events.registry import SchemaRegistry
    from immersiverse.auth.events.schema_checks.kinds import Rules
    from immersiverse.auth.events.schema_checks.version import ContractVersion
    from immersiverse.auth.events.serialization.schemas import SchemaType

    Connect = Callable[[str], AbstractContextManager[SchemaRegistry]]

_URLS = ("http://", "https://")


def check_change(  # noqa: PLR0913 - the options of a command
    new: str | None,
    against: Sequence[str],
    connect: Connect,
    *,
    level: Level,
    rules: Rules,
    topics: Sequence[str] | None = None,
    allow_empty: bool = False,
) -> SchemaVerdict:
    """Compare a version with earlier ones.

    Args:
        new: the new version, as ``sources.read`` takes it; the contract of this checkout, else of this
            package, unless given.
        against: the earlier versions, oldest first, and the URLs of registries.
        connect: makes a registry of its URL.
        level: which versions are checked, and who must be able to read whom.
        rules: what counts as breaking.
        topics: those of a registry's subjects; the contract's unless given.
        allow_empty: as of ``sources.read``.

    Raises:
        InvalidSchema: a version cannot be read.
        MissingExtra: a version needs what is not installed.
        RegistryError: a registry cannot be asked.
    """
    version = current_contract() if new is None else read(new, allow_empty=allow_empty)
    like = Path(new) if new is not None and Path(new).exists() else None
    history = [
        read(reference, like=like, allow_empty=allow_empty)
        for reference in against
        if not reference.startswith(_URLS)
    ]
    found = judge(version, history, level=level, rules=rules)
    for url in (reference for reference in against if reference.startswith(_URLS)):
        types, notes = _registered_types(version)
        with connect(url) as registry:
            found += judge_registry(registry, version, topics=topics, types=types, level=level, rules=rules)
        found += SchemaVerdict((), notes=notes)
    return found


def _registered_types(version: ContractVersion) -> tuple[tuple[SchemaType, ...], tuple[str, ...]]:
    """Which schemas can be compared with a registry's, and what to note about the others."""
    if is_installed(version):
        return ("PROTOBUF", "AVRO"), ()
    note = "Avro is not compared: its schema is derived from the bindings, and they are of another contract"
    return ("PROTOBUF",), (note,)
