"""What docs/registry.md shows runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = (Path(__file__).parents[3] / "docs" / "registry.md").read_text()


def test_an_event_is_published_and_consumed_in_a_users_own_tests():
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    scope = {}
    exec(code, scope)
    assert scope["forgotten"] == ["uuid-1234"]
