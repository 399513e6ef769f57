"""The statements that hold of every guard, for those that need no server."""

from __future__ import annotations

import pytest

from guard_makers import memory, sql, sql_async
from guard_statements import *  # noqa: F403 - each of them is a test here

MAKERS = {
    "memory": lambda _, **options: memory(**options),
    "sqlite": lambda folder, **options: sql(f"sqlite:///{folder / 'guard.db'}", **options),
    "sqlite session": lambda folder, **options: sql(
        f"sqlite:///{folder / 'guard.db'}", session=True, **options
    ),
    "async memory": lambda _, **options: memory(blocking=False, **options),
    "async sqlite": lambda folder, **options: sql_async(
        f"sqlite+aiosqlite:///{folder / 'guard.db'}", **options
    ),
    "async sqlite session": lambda folder, **options: sql_async(
        f"sqlite+aiosqlite:///{folder / 'guard.db'}", session=True, **options
    ),
}


@pytest.fixture(params=MAKERS)
def guard(request, tmp_path):
    with MAKERS[request.param](tmp_path) as made:
        yield made


@pytest.fixture(params=MAKERS)
def unlimited(request, tmp_path):
    with MAKERS[request.param](tmp_path, max_version_jump=None) as made:
        yield made
