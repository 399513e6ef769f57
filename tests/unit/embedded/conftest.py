from __future__ import annotations

import pytest

from unit.embedded.caller import Caller


@pytest.fixture
def ask() -> Caller:
    return Caller()
