"""`auth-events inbox` without a database."""

from __future__ import annotations

import pytest

SECRET = "S3cr3t"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in ("AUTH_EVENTS_DATABASE", "AUTH_EVENTS_REDIS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "where",
    [
        ("--database", f"postgresql+psycopg://a:{SECRET}@127.0.0.1:1/d"),
        ("--redis", f"redis://a:{SECRET}@127.0.0.1:1/0"),
    ],
)
def test_no_connection_is_exit_code_3_without_the_password(auth_events, where):
    result = auth_events("inbox", "forget", "--consumer", "analytics", "--all", "--yes", *where)
    assert result.code == 3
    assert SECRET not in result.err
