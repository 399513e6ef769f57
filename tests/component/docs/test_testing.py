"""What docs/testing.md shows runs as it stands: its tests pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GUIDE = (Path(__file__).parents[3] / "docs" / "testing.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[f"example {number}" for number, _ in enumerate(EXAMPLES, 1)]
)
def test_an_example_of_the_guide_passes(example: str) -> None:
    scope: dict[str, Any] = {}
    exec(compile(example, "docs/testing.md", "exec"), scope)
    tests: list[Callable[[], None]] = [scope[name] for name in scope if name.startswith("test_")]
    assert bool(tests) == ("def test_" in example)
    for test in tests:
        test()


def test_there_are_examples_of_each_part_of_the_kit() -> None:
    assert len(EXAMPLES) >= 4
