"""Apicurio Registry, spoken to through its Confluent API."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.downloads import apicurio_home
from stack.java import java
from stack.ports import free_ports
from stack.progress import say
from stack.server import Server, wait_until_ready
from stack.versions import pinned_versions

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass(frozen=True)
class Registry:
    """A running registry.

    Attributes:
        url: the base of its Confluent API, without a trailing slash.
        server: its process.
    """

    url: str
    server: Server

    def wait_until_ready(self) -> None:
        """Wait until it answers, and have it enforce compatibility.

        Raises:
            StackError: it died or did not come up; the end of its log is in the message.
        """
        wait_until_ready(self._answers, [self.server])
        self._enforce("BACKWARD_TRANSITIVE")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=2) as answer:
                return isinstance(json.load(answer), list)
        except OSError:
            return False

    def _enforce(self, level: str) -> None:
        """Set the global compatibility level, which this registry leaves off."""
        request = urllib.request.Request(
            f"{self.url}/config",
            data=json.dumps({"compatibility": level}).encode(),
            headers={"Content-Type": CONTENT_TYPE},
            method="PUT",
        )
        with urllib.request.urlopen(request, timeout=10):
            pass


def start_registry(folder: Path) -> Registry:
    """Start a registry that keeps everything in memory; returns before it is ready.

    Raises:
        StackError: it cannot be downloaded.
    """
    home = apicurio_home(pinned_versions().apicurio)
    port, management = free_ports(2)
    options = (
        f"-Djava.io.tmpdir={folder}",
        "-Dquarkus.http.host=127.0.0.1",
        f"-Dquarkus.http.port={port}",
        "-Dquarkus.management.host=127.0.0.1",
        f"-Dquarkus.management.port={management}",
    )
    command = [*java(512, *options), "-jar", str(home / "quarkus-run.jar")]
    registry = Registry(
        url=f"http://127.0.0.1:{port}/apis/ccompat/v7",
        server=Server("apicurio registry", command, folder / "registry.log"),
    )
    registry.server.start()
    return registry


@contextmanager
def apicurio() -> Iterator[str]:
    """The Confluent API's URL of a real registry that leaves nothing behind.

    Raises:
        StackError: it cannot be downloaded or started; the message says why.
    """
    with tempfile.TemporaryDirectory(prefix="auth-events-registry-") as folder:
        registry = start_registry(Path(folder))
        try:
            report_ready(registry)
            yield registry.url
        finally:
            registry.server.kill()


def report_ready(registry: Registry) -> None:
    """Wait for a registry and say so to the user."""
    registry.wait_until_ready()
    seconds = registry.server.age
    say(f"apicurio registry {pinned_versions().apicurio}: at {registry.url} after {seconds:.1f} s")
