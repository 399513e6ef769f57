"""Unit tests start no process, use no network and never sleep: what does belongs in tests/component.

librdkafka works below Python, where no audit event shows it; its brokers in the process are kept out by name.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import SupportsIndex

import pytest

FORBIDDEN = {
    "os.exec": "starts a process",
    "os.fork": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.system": "starts a process",
    "socket.bind": "opens a server",
    "socket.connect": "connects to a server",
    "subprocess.Popen": "starts a process",
}
BROKERS = ("test.mock.num.brokers", "EmbeddedBroker", "EmbeddedStack")


class Guard:
    """What the running test did that no unit test does; threads of a test count as the test.

    Attributes:
        found: what it did, in words; None while no test runs, since plugins may do as they like.
    """

    def __init__(self) -> None:
        self.found: set[str] | None = None
        self._sleep = time.sleep

    def audit(self, event: str, arguments: tuple[object, ...]) -> None:
        """Note what Python reports; a hook cannot be taken away again, so it costs little."""
        if self.found is not None and event in FORBIDDEN:
            self.found.add(f"{FORBIDDEN[event]} ({event} {arguments!r:.100})")

    def sleep(self, seconds: SupportsIndex | float) -> None:
        """Note a sleep; `sleep(0)` only lets other threads run."""
        if self.found is not None and seconds != 0:
            self.found.add(f"sleeps for {seconds} s")
        self._sleep(seconds)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Fail the test that did something of the list meanwhile, if nothing else fails it."""
        self.found = set()
        time.sleep = self.sleep
        try:
            yield
            found = self.found
        finally:
            time.sleep = self._sleep
            self.found = None
        if found:
            did = ", and ".join(sorted(found))
            pytest.fail(f"a unit test {did}: such a test belongs in tests/component", pytrace=False)


GUARD = Guard()
sys.addaudithook(GUARD.audit)


@cache
def brokers_of(file: Path) -> list[str]:
    """The brokers that a file of tests names."""
    text = file.read_text()
    return [name for name in BROKERS if name in text]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Watch the fixtures, of every scope."""
    for name in brokers_of(item.path):
        pytest.fail(f"{item.path.name} uses {name}: what starts brokers belongs in tests/component")
    with GUARD.watch():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:  # noqa: ARG001 - pytest's
    """Watch the test."""
    with GUARD.watch():
        yield
