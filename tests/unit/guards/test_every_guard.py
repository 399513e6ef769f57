"""The statements that hold of every guard, for those that need no server."""

from __future__ import annotations

import pytest

from guard_makers import memory, sql, sql_async
from guard_statements import *  # noqa: F403 - each of them is a test here

MAKERS = {
    "memory": lambda _: memory(),
    "sqlite": lambda folder: sql(f"sqlite:///{folder / 'guard.db'}"),
    "sqlite session": lambda folder: sql(f"sqlite:///{folder / 'guard.db'}", session=True),
    "async memory": lambda _: memory(blocking=False),
    "async sqlite": lambda folder: sql_async(f"sqlite+aiosqlite:///{folder / 'guard.db'}"),
    "async sqlite session": lambda folder: sql_async(
        f"sqlite+aiosqlite:///{folder / 'guard.db'}", session=True
    ),
}


@pytest.fixture(params=MAKERS)
def guard(request, tmp_path):
    with MAKERS[request.param](tmp_path) as made:
        yield made
