"""A dump of the database, restored into a new cluster, whose transaction ids begin again."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from chaos.outbox.stage import OutboxStage
from stack.postgres import Postgres


@dataclass(frozen=True, slots=True)
class Restore:
    """What was restored.

    Attributes:
        rows: how many of the outbox.
        transactions_before: the old cluster's last transaction id.
        transactions_after: the new one's, at first.
    """

    rows: int
    transactions_before: int
    transactions_after: int


def restore(stage: OutboxStage) -> Restore:
    """Move the database to a new cluster at the same address. Writers are stopped, relays are not."""
    dump = stage.folder / "dump.sql"
    before = _number(stage, "SELECT txid_current()")
    _run(stage.postgres, "pg_dump", "--file", str(dump))
    server = stage.replace_postgres()
    after = _number(stage, "SELECT txid_current()")
    load = ("--quiet", "--no-psqlrc", "--single-transaction", "--set", "ON_ERROR_STOP=1", "--file", str(dump))
    _run(server, "psql", *load)
    return Restore(_number(stage, "SELECT count(*) FROM auth_events_outbox"), before, after)


def _number(stage: OutboxStage, query: str) -> int:
    with stage.connect() as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _run(server: Postgres, program: str, *arguments: str) -> None:
    address = ("--host=127.0.0.1", f"--port={server.port}", "--username=postgres", "--dbname=postgres")
    command = [str(Path(server.programs) / program), *address, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
