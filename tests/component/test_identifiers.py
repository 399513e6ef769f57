"""Event ids: unique, and sorted by when they were made."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FORKING = """
import os
from immersiverse.auth.events.identifiers import new_event_id
new_event_id()
child = os.fork()
os.write(1, "".join(f"{new_event_id()}\\n" for _ in range(100)).encode())
if child:
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_makes_other_ids_than_its_parent() -> None:
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True)
    assert len(set(done.stdout.split())) == 200
