"""Whether anybody still reads what is written."""

from __future__ import annotations

import select
import sys


def nobody_reads() -> bool:
    """Whether the other end of standard output is closed; without a pipe there is none to close."""
    if not hasattr(select, "poll"):  # Windows tells at the next write
        return False
    watched = select.poll()
    watched.register(sys.stdout.fileno(), 0)  # no event: a closed end is told without being asked for
    return any(happened & select.POLLERR for _, happened in watched.poll(0))
