"""What chaos is made with does what it says, so that a run without a find has been one with faults."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time

import pytest

from chaos.clocks import Clocks
from chaos.disks import mounted

PROGRAM = """
import sys, time
for _ in sys.stdin:
    print(time.time(), time.monotonic(), flush=True)
"""


def test_a_clock_jumps_under_a_process_that_runs_and_intervals_go_on(tmp_path):
    clocks = Clocks(tmp_path, range(1, 3))
    if not clocks.environments:
        pytest.skip("needs a C compiler, cc")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **clocks.environments[2]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def off_by():
            process.stdin.write("\n")
            process.stdin.flush()
            time_of_day, monotonic = map(float, process.stdout.readline().split())
            assert abs(monotonic - time.monotonic()) < 10
            return round((time_of_day - time.time()) / 60)

        assert off_by() == 0
        clocks.set(2, -1_800)
        clocks.set(1, 600)  # another's
        assert off_by() == -30
        clocks.set(2, 1_800)
        assert off_by() == 30
        process.stdin.close()


def test_a_full_disk_takes_nothing_until_it_is_cleared(tmp_path):
    with mounted(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("only root can mount a disk")
        file = tmp_path / "disk" / "log"
        disk.fill()
        with pytest.raises(OSError) as full:
            file.write_bytes(bytes(100_000))
        assert full.value.errno == errno.ENOSPC
        disk.clear()
        file.write_bytes(bytes(100_000))
    assert not file.exists()
