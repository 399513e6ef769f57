"""SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from immersiverse.auth.events import SqlInbox
from inboxes.makers import created, database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with a table of effects."""
    with database(f"sqlite:///{tmp_path / 'inbox.db'}") as engine:
        yield engine


@pytest.fixture
def inbox(engine: Engine) -> SqlInbox:
    """An inbox in that database."""
    return created(SqlInbox(engine, "tests"))
