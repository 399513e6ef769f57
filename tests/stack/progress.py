"""One line of progress for a waiting person; stdout is kept for answers."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Write a line to stderr at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
