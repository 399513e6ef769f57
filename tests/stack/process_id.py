"""Whose process a number is: numbers are reused, a number with its start time is not."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals


@dataclass(frozen=True)
class ProcessId:
    """A process that is never mistaken for a later one with the same number.

    Attributes:
        number: what the system calls it.
        started: when it started, in the system's own words.
    """

    number: int
    started: str

    @classmethod
    def of(cls, number: int) -> ProcessId:
        """The process that has this number now."""
        return cls(number, _start_time(number))

    def is_running(self) -> bool:
        """Whether it is still there, and not only its number or its remains."""
        return bool(self.started) and _start_time(self.number) == self.started

    def signal(self, signal: Signals) -> None:
        """Send a signal, to this process and no other."""
        if self.is_running():
            with suppress(ProcessLookupError):
                os.kill(self.number, signal)


def _start_time(number: int) -> str:
    if Path("/proc/self/stat").exists():
        return _start_time_in_proc(number)
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(number)], check=False, capture_output=True, text=True
    )
    state, _, started = shown.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def _start_time_in_proc(number: int) -> str:
    try:
        stat = Path(f"/proc/{number}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # The name, in parentheses, may hold anything; the state and the 20th field follow its end (proc(5)).
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
