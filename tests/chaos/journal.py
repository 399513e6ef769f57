"""A file that only grows, and outlives the process that writes it.

What a process hands to the system is safe from ``kill -9`` of that process: only a crash of the machine could
lose it, which no test stages here. So nothing is ever synced to the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


class Journal:
    """Lines that are in the file as soon as `write` returns; any number of processes may write."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        if _ends_torn(self._file):
            os.write(self._file, b"\n")

    def write(self, *words: object) -> None:
        """Append one line, in one piece."""
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


def read_journal(path: Path, words: int | None = None) -> Iterator[list[str]]:
    """The words of each whole line; none if nothing is written yet.

    Args:
        path: the file.
        words: how many a line has: others were torn by a kill, and what they say had not happened yet.
    """
    if not path.exists():
        return
    with path.open() as lines:
        for line in lines:
            split = line.split()
            if line.endswith("\n") and words in (None, len(split)):
                yield split


def _ends_torn(file: int) -> bool:
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"
