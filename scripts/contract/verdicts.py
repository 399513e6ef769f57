"""This project's own verdicts: strict rules, and the recorded bytes of every release."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from contract.fault import Fault
from contract.source_lines import line_of, lines
from contract.tree import GOLDEN, PROTO, ROOT, Tree
from golden.corpus.reading import misread
from golden.corpus.release import SUMS, Release
from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.schema_checks import avro
from immersiverse.auth.events.schema_checks.changes import Change
from immersiverse.auth.events.schema_checks.sources import read
from immersiverse.auth.events.schema_checks.sources.contract import is_installed
from immersiverse.auth.events.schema_checks.sources.files import tree_version
from immersiverse.auth.events.schema_checks.verdict import SchemaVerdict, judge
from immersiverse.auth.events.schema_checks.version import ContractVersion
from immersiverse.auth.events.serialization.avro import schema_text


def bindings(tree: Tree) -> list[Fault]:
    """Whether what runs below was made from the contract as it stands."""
    if is_installed(tree.contract):
        return []
    return [Fault("the bindings are of another contract: run scripts/generate", "bindings")]


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
    return [Fault(fault, "golden") for release in tree.releases for fault in misread(release)]


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
