"""What docs/outbox.md shows runs as it stands."""

from __future__ import annotations

import importlib
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient

from immersiverse.auth.events import OutboxRelay, OutboxTables
from immersiverse.auth.events.testing.stack import EmbeddedStack
from outboxes import new_database, wait_until
from stack.postgres import Postgres

GUIDE = (Path(__file__).parents[3] / "docs" / "outbox.md").read_text()
MIGRATE = """
from sqlalchemy import NullPool, create_engine

url = context.config.get_main_option("sqlalchemy.url")
with create_engine(url, poolclass=NullPool).connect() as connection:
    migrate(connection, MetaData())
"""


def block(begin: str) -> str:
    """The Python block that begins so."""
    (found,) = re.findall(rf"```python\n({re.escape(begin)}.*?)```", GUIDE, re.DOTALL)
    return str(found)


@pytest.fixture
def database(postgres: Postgres) -> Iterator[sa.Engine]:
    """An empty database."""
    with new_database(postgres.url) as engine:
        yield engine


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a program of the guide."""
    monkeypatch.syspath_prepend(tmp_path)

    def loaded(name: str) -> ModuleType:
        (tmp_path / f"{name}.py").write_text(block(f"# {name}.py"))
        module = importlib.import_module(name)
        monkeypatch.delitem(sys.modules, name)
        return module

    return loaded


def text_of(engine: sa.Engine) -> str:
    """Its URL."""
    return engine.url.render_as_string(hide_password=False)


def test_a_request_has_its_effect_at_the_consumer(
    database: sa.Engine, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedStack() as stack:
        monkeypatch.setenv("DATABASE_URL", text_of(database))
        monkeypatch.setenv("WELCOME_DATABASE", text_of(database))
        monkeypatch.setenv("SCHEMA_REGISTRY", stack.registry_url)
        monkeypatch.setenv("KAFKA", stack.bootstrap)
        service = load("accounts")
        service.Base.metadata.create_all(database)
        with database.begin() as connection:
            OutboxTables().create_all(connection)
            connection.exec_driver_sql("CREATE TABLE welcomes (account text, name text)")
        consumer = load("welcome")
        relay = OutboxRelay(database, {"bootstrap.servers": stack.bootstrap})
        threads = [threading.Thread(target=each.run, daemon=True) for each in (relay, consumer.subscriber)]
        for each in threads:
            each.start()
        with TestClient(service.app, raise_server_exceptions=False) as client:
            answer = client.post("/accounts", json={"name": "anna"})
            assert answer.status_code == 201
            assert client.post("/accounts", json={"name": "anna"}).status_code == 500  # and no event

        def welcomes() -> list[tuple[str, str]]:
            with database.begin() as connection:
                return [
                    tuple(row) for row in connection.exec_driver_sql("SELECT account, name FROM welcomes")
                ]

        wait_until(welcomes)
        relay.stop()
        consumer.subscriber.stop()
        for each in threads:
            each.join(30)
        consumer.engine.dispose()
        consumer.registry.close()
        assert welcomes() == [(answer.json()["id"], "anna")]


def test_the_migration_creates_the_tables_and_removes_them(database: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "0001_outbox.py").write_text(block("# versions/0001_outbox.py"))
    (tmp_path / "env.py").write_text(block("# env.py") + MIGRATE)
    (tmp_path / "script.py.mako").write_text("${upgrades if upgrades else 'pass'}")
    config = Config()
    config.set_main_option("script_location", str(tmp_path))
    config.set_main_option("sqlalchemy.url", text_of(database))
    config.set_main_option("path_separator", "os")

    command.upgrade(config, "head")
    migrated = _columns(database)
    with new_database_like(database) as plain, plain.begin() as connection:
        OutboxTables().create_all(connection)
        connection.commit()
        assert _columns(plain) == {
            key: columns for key, columns in migrated.items() if key != "alembic_version"
        }
    command.check(config)  # autogenerate would not drop them
    command.downgrade(config, "base")
    assert set(_columns(database)) == {"alembic_version"}


def new_database_like(engine: sa.Engine) -> Any:
    """Another database of the same server."""
    return new_database(engine.url.set(database="postgres").render_as_string(hide_password=False))


def _columns(engine: sa.Engine) -> dict[str, list[str]]:
    inspector = sa.inspect(engine)
    return {
        table: [f"{column['name']} {column['type']}" for column in inspector.get_columns(table)]
        for table in inspector.get_table_names()
    }
