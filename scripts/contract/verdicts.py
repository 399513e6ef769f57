"""This project's own verdicts: strict rules, and the recorded bytes of every release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from contract.fault import Fault
from contract.source_lines import line_of, lines
from contract.tree import GOLDEN, PROTO, ROOT, Tree
from golden.corpus.reading import misread
from golden.corpus.release import SUMS, Release
from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.schema_checks import avro
from immersiverse.auth.events.schema_checks.changes import Change
from immersiverse.auth.events.schema_checks.contract_rules import contract_faults
from immersiverse.auth.events.schema_checks.sources import read
from immersiverse.auth.events.schema_checks.sources.contract import is_installed
from immersiverse.auth.events.schema_checks.sources.files import tree_version
from immersiverse.auth.events.schema_checks.verdict import SchemaVerdict, judge
from immersiverse.auth.events.schema_checks.version import ContractVersion
from immersiverse.auth.events.serialization.avro import schema_text

_FORM = re.compile(r"^\w+ with [^:]+: ")


def bindings(tree: Tree) -> list[Fault]:
    """Whether what runs below was made from the contract as it stands."""
    if is_installed(tree.contract):
        return []
    return [Fault("the bindings are of another contract: run scripts/generate", "bindings")]


def contract(tree: Tree) -> list[Fault]:
    """Whether the contract is complete by itself, and within what is supported."""
    found = tree.contract.file(CONTRACT_FILE.name)
    if found is None:
        return [Fault(f"there is no {CONTRACT_FILE.name}", "contract")]
    known = lines(ROOT / PROTO, CONTRACT_FILE.name)
    return [
        Fault(
            f"{fault.path}: {fault.text}",
            fault.rule,
            f"{PROTO}/{CONTRACT_FILE.name}",
            line_of(fault.path, known),
        )
        for fault in contract_faults(found.root)
    ]


def strict_base(tree: Tree) -> list[Fault]:
    """The strict rules against the base."""
    if tree.commit is None or not tree.commit.proto_files(PROTO):
        return []
    return _faults(judge(tree.contract, [tree_version(tree.commit, PROTO, tree.base)]))


def strict_releases(tree: Tree) -> list[Fault]:
    """The strict rules against every release."""
    return _faults(judge(tree.contract, [_released(release) for release in tree.releases]))


def avro_releases(tree: Tree) -> list[Fault]:
    """Avro's rules against every release."""
    history = [release.schemas.avro for release in tree.releases]
    changes = avro.check(schema_text(), history, level=Level.BACKWARD_TRANSITIVE)
    return [Fault(f"{change.path}: {change.sentence}", f"avro {change.kind}") for change in changes]


def recordings(tree: Tree) -> list[Fault]:
    """Whether every release is as it was recorded, here and in the base."""
    faults = [fault for release in tree.releases for fault in release.faults()]
    return [Fault(fault, "recorded releases are never edited") for fault in faults + _rewritten(tree)]


def golden(tree: Tree) -> list[Fault]:
    """Whether what every release wrote is read as it was meant."""
    return [Fault(fault, "golden") for release in tree.releases for fault in _once(misread(release))]


def _once(faults: list[str]) -> Iterator[str]:
    """The faults of an event's recorded cases, those that say the same in one line."""
    alike: dict[tuple[str, str], list[str]] = {}
    for fault in faults:
        place, _, what = fault.partition(": ")
        reason = _FORM.sub("", what).partition(": '")[0]  # without what was read, which differs
        alike.setdefault((place.partition(" ")[0], reason), []).append(fault)
    for first, *others in alike.values():
        more = f" (and {len(others)} more of this event)" if others else ""
        yield f"{first.splitlines()[0]}{more}"


def _rewritten(tree: Tree) -> list[str]:
    """The releases whose very digests are not those of the base."""
    if tree.commit is None or tree.golden != ROOT / GOLDEN:
        return []
    sums = [path for path in tree.commit.files(GOLDEN) if path.endswith(f"/{SUMS}")]
    return [f"{path}: was rewritten" for path in sums if tree.commit.read(path) != _content(ROOT / path)]


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _released(release: Release) -> ContractVersion:
    return replace(read(str(release.wheel)), label=release.version)


def _faults(verdict: SchemaVerdict) -> list[Fault]:
    files = {change.file for change in verdict.refused}
    known = {file: lines(ROOT / PROTO, file) for file in files if (ROOT / PROTO / file).is_file()}
    return list(dict.fromkeys(_fault(change, known.get(change.file, {})) for change in verdict.refused))


def _fault(change: Change, known: dict[str, int]) -> Fault:
    sides = " -> ".join(side for side in (change.old, change.new) if side)
    message = f"{change.place} ({sides}), against {change.against}: {change.sentence}"
    return Fault(message, change.kind.value, f"{PROTO}/{change.file}", line_of(change.path, known))
