"""A deliberate fault: a small change of the code that breaks something a user relies on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path("python/immersiverse/auth/events")
SCHEDULING = tuple(
    f"unit/kafka/test_{name}.py" for name in ("scheduler", "failed_events", "revoked_partitions")
)


class FaultNotApplicable(Exception):
    """The code has changed, and a fault does not fit it any more."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: what breaks, in a few words joined by hyphens.
        file: the file that is changed, below the package.
        old: what stands there, once.
        new: what is put in its place.
        tests: the test files of which one must fail, below the folder of tests.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, root: Path) -> str:
        """The text of the file with the fault.

        Raises:
            FaultNotApplicable: if the old text is not there exactly once, or the new one is the same.
        """
        path = root / PACKAGE / self.file
        text = path.read_text() if path.exists() else ""
        if (count := text.count(self.old)) != 1 or self.old == self.new:
            raise FaultNotApplicable(
                f"{self.name}: found {count} times in {self.file}, expected once; change the fault in "
                f"tests/mutation/faults, or delete it if nothing can break there any more:\n{self.old}"
            )
        return text.replace(self.old, self.new)
