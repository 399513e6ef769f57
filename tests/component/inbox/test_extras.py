"""An inbox needs its extra only when it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import sys
for absent in ("sqlalchemy", "redis"):
    sys.modules[absent] = None
import immersiverse.auth.events as events
events.MemoryInbox()
try:
    getattr(events, {name!r})
except events.MissingExtra as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("SqlInbox", "sql"),
        ("AsyncSqlInbox", "sql"),
        ("inbox_tables", "sql"),
        ("RedisInbox", "redis"),
        ("AsyncRedisInbox", "redis"),
    ],
)
def test_an_inbox_names_the_extra_that_it_needs(name, extra):
    run = [sys.executable, "-c", WITHOUT.format(name=name)]
    output = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    assert f"immersiverse-auth-events[{extra}]" in output
