"""A disk of one broker that can be full: a file system in a file, which only root may mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SIZE = 4 * 1024**3  # more than a run of an hour writes; the file has holes, and takes what is written
_PIECES = (1024**2, 4096, 1)


class Disk:
    """A mounted disk."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / ".ballast"  # Kafka's log loader looks at folders only

    def fill(self) -> None:
        """Leave no byte free."""
        with self._ballast.open("wb") as file:
            free = os.statvfs(file.fileno())
            with suppress(OSError):  # in one piece, if there is no other writer
                os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - _PIECES[0])
            file.seek(0, os.SEEK_END)
            for piece in _PIECES:
                with suppress(OSError):
                    while True:
                        os.write(file.fileno(), bytes(piece))

    def clear(self) -> None:
        """Delete what fills it."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def mounted(folder: Path) -> Iterator[Disk | None]:
    """A disk of its own for a folder; None where it cannot be mounted."""
    image = folder.with_suffix(".image")
    folder.mkdir(parents=True)
    if not _mount(image, folder):
        yield None
        return
    try:
        shutil.rmtree(folder / "lost+found")  # Kafka takes every folder for a partition
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(image: Path, folder: Path) -> bool:
    if os.geteuid() or not (shutil.which("mkfs.ext4") and shutil.which("mount")):
        return False
    with image.open("wb") as file:
        file.truncate(_SIZE)
    formatted = _succeeds("mkfs.ext4", "-q", "-F", "-m", "0", image)
    return formatted and _succeeds("mount", "-o", "loop", image, folder)


def _succeeds(*command: str | Path) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
