"""Guards cost no dependency until they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import sys
for absent in ("sqlalchemy", "redis"):
    sys.modules[absent] = None
from immersiverse.auth.events import MissingExtra, guards
guards.MemoryGuard()
try:
    getattr(guards, {name!r})
except MissingExtra as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("SqlGuard", "outbox"),
        ("AsyncSqlGuard", "outbox"),
        ("guard_tables", "outbox"),
        ("RedisGuard", "redis"),
        ("AsyncRedisGuard", "redis"),
    ],
)
def test_a_guard_names_the_extra_that_it_needs(name, extra):
    run = [sys.executable, "-c", WITHOUT.format(name=name)]
    said = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    assert f"immersiverse-auth-events[{extra}]" in said


def test_the_package_of_guards_loads_no_database_library():
    code = "import sys, immersiverse.auth.events.guards; print({'sqlalchemy', 'redis'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "set()"
