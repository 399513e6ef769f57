"""Clocks of brokers that can jump, by a small library that is preloaded; it needs a C compiler (``cc``).

Only the time of day jumps, as when it is set; what measures intervals goes on. Kafka does not come up under
libfaketime 0.9.10, which takes part in every wait of every thread.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock.c")


class Clocks:
    """A clock for each broker, right at first.

    Args:
        folder: where the library and the offsets are kept.
        brokers: the brokers' numbers.

    Attributes:
        environments: what the environment of each broker must have; empty if no clock can jump.
    """

    def __init__(self, folder: Path, brokers: range) -> None:
        library = folder / "clock.so"
        self._files = {number: folder / f"clock-{number}" for number in brokers}
        for number in brokers:
            self.set(number, 0)
        self.environments: Mapping[int, Mapping[str, str]] = {}
        if sys.platform == "linux" and shutil.which("cc"):
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, _SOURCE, "-ldl"], check=True)
            self.environments = {
                number: {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(file)}
                for number, file in self._files.items()
            }

    def set(self, broker: int, seconds: int) -> None:
        """Let a broker's clock be wrong by so many seconds, at once."""
        file = self._files[broker]
        file.touch()
        with file.open("r+b") as offset:  # the same file, which the broker has mapped
            offset.write(seconds.to_bytes(8, sys.byteorder, signed=True))
