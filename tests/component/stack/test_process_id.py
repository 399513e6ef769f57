"""Only the very process that was started is ever signalled."""

from __future__ import annotations

import subprocess
import sys
import time
from signal import SIGKILL

import pytest

from stack.process_id import ProcessId


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def test_a_running_process_is_known_by_its_id(sleeper):
    assert ProcessId.of(sleeper.pid).is_running()


def test_a_process_that_was_killed_does_not_run(sleeper):
    process = ProcessId.of(sleeper.pid)
    process.signal(SIGKILL)
    sleeper.wait()
    assert not process.is_running()


def test_a_killed_process_does_not_run_even_before_its_parent_looks(sleeper):
    process = ProcessId.of(sleeper.pid)
    sleeper.kill()
    until = time.monotonic() + 10
    while process.is_running() and time.monotonic() < until:
        time.sleep(0.01)
    assert not process.is_running()


def test_a_later_process_with_the_same_number_is_left_alone(sleeper):
    earlier = ProcessId(sleeper.pid, started="at another time")
    earlier.signal(SIGKILL)
    with pytest.raises(subprocess.TimeoutExpired):
        sleeper.wait(0.2)


def test_a_number_that_no_process_has_does_not_run():
    assert not ProcessId.of(2**22 + 1).is_running()
