"""The tree under the gate, and the commit that it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from golden.corpus.release import Release, releases
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.schema_checks.sources.contract import current_contract
from immersiverse.auth.events.schema_checks.sources.git import GitCommit
from immersiverse.auth.events.schema_checks.version import ContractVersion

ROOT = Path(__file__).resolve().parents[2]
PROTO = "proto"
GOLDEN = "tests/golden"


@dataclass(frozen=True)
class Tree:
    """What a run of the gate looks at.

    Attributes:
        base: the name of the commit that a change would land on.
        golden: where recorded releases lie.
        scratch: a folder for this run.
    """

    base: str
    golden: Path
    scratch: Path

    @cached_property
    def contract(self) -> ContractVersion:
        """The contract as it stands in the tree."""
        return current_contract(ROOT)

    @cached_property
    def releases(self) -> list[Release]:
        """Every recorded release, the oldest first."""
        return releases(self.golden)

    @cached_property
    def commit(self) -> GitCommit | None:
        """The commit that a change would land on; None if this clone does not hold it."""
        try:
            return GitCommit(self.base, ROOT)
        except InvalidSchema:
            return None
