"""Debezium's PostgreSQL connector in Kafka Connect, one process."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from stack.downloads import connect_libraries, debezium_plugin
from stack.java import java
from stack.ports import free_ports
from stack.server import Server, wait_until_ready
from stack.versions import pinned_versions


@contextmanager
def debezium(connector: Mapping[str, str], bootstrap: str) -> Iterator[Server]:
    """A running connector that leaves nothing behind.

    Args:
        connector: its settings, with its name.
        bootstrap: the Kafka that it sends to.

    Raises:
        StackError: it cannot be downloaded or started; the message says why.
    """
    versions = pinned_versions()
    libraries, plugin = connect_libraries(versions.kafka), debezium_plugin(versions.debezium)
    with tempfile.TemporaryDirectory(prefix="auth-events-debezium-") as name:
        folder, port = Path(name), free_ports(1)[0]
        worker = {
            "bootstrap.servers": bootstrap,
            "plugin.path": str(plugin),
            "plugin.discovery": "service_load",
            "offset.storage.file.filename": str(folder / "offsets"),
            "offset.flush.interval.ms": "1000",
            "listeners": f"http://127.0.0.1:{port}",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        }
        files = [folder / "worker.properties", folder / "connector.properties"]
        for file, settings in zip(files, (worker, connector), strict=True):
            file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        program = "org.apache.kafka.connect.cli.ConnectStandalone"
        command = [*java(256, "-cp", f"{libraries}/*"), program, *map(str, files)]
        server = Server("debezium", command, folder / "debezium.log")
        status = f"http://127.0.0.1:{port}/connectors/{connector['name']}/status"
        server.start()
        try:
            wait_until_ready(lambda: _is_running(status), [server])
            yield server
        finally:
            server.kill()


def _is_running(status: str) -> bool:
    try:
        with urllib.request.urlopen(status, timeout=2) as answer:
            tasks = json.load(answer)["tasks"]
    except (URLError, OSError):
        return False
    return bool(tasks) and all(task["state"] == "RUNNING" for task in tasks)
