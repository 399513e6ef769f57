"""The behaviour of every inbox, for those that need no server."""

from __future__ import annotations

import pytest

from inboxes.behaviour import *  # noqa: F403 - each of them is a test here
from inboxes.makers import memory, sql, sql_async

MAKERS = {
    "memory": lambda _, **options: memory(**options),
    "sqlite": lambda file, **options: sql(f"sqlite:///{file}", **options),
    "sqlite session": lambda file, **options: sql(f"sqlite:///{file}", session=True, **options),
    "async memory": lambda _, **options: memory(blocking=False, **options),
    "async sqlite": lambda file, **options: sql_async(f"sqlite+aiosqlite:///{file}", **options),
    "async sqlite session": lambda file, **options: sql_async(
        f"sqlite+aiosqlite:///{file}", session=True, **options
    ),
}


@pytest.fixture(params=MAKERS)
def inbox(request, tmp_path):
    with MAKERS[request.param](tmp_path / "inbox.db") as made:
        yield made


@pytest.fixture(params=MAKERS)
def unlimited(request, tmp_path):
    with MAKERS[request.param](tmp_path / "inbox.db", max_version_jump=None) as made:
        yield made
