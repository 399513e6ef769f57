"""A figure with the limit that it must keep, and how figures are shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.measuring import Measurements


@dataclass(frozen=True)
class Comparison:
    """The time of one statement over that of another.

    Attributes:
        name: what the figure is called.
        above: the statement whose time is divided.
        below: the statement by whose time it is divided.
        at_least: the least that the figure should be; None for no limit.
        at_most: the most that the figure should be; None for no limit.
    """

    name: str
    above: str
    below: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def goal(self) -> str:
        """Its limit in words."""
        return f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"

    def is_kept_by(self, ratio: float) -> bool:
        """Whether a figure keeps the limits."""
        return (self.at_least is None or ratio >= self.at_least) and (
            self.at_most is None or ratio <= self.at_most
        )


def as_json(measured: Measurements, comparisons: Iterable[Comparison]) -> str:
    """Ratios by name."""
    return json.dumps({each.name: round(measured.ratio(each.above, each.below), 3) for each in comparisons})


def as_table(measured: Measurements, comparisons: Iterable[Comparison]) -> str:
    """Times, then ratios with their goals."""
    times = [f"{name:40} {measured.microseconds(name):9.3f} us" for name in measured.by_name]
    ratios = [_ratio_line(each, measured.ratio(each.above, each.below)) for each in comparisons]
    return "\n".join([*times, "", *ratios])


def _ratio_line(comparison: Comparison, ratio: float) -> str:
    verdict = "" if comparison.is_kept_by(ratio) else "  MISSED"
    return f"{comparison.name:40} {ratio:9.2f} x   ({comparison.goal}){verdict}"
