"""Bring a named stack up and down, across commands."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL

from stack import kafka, record, registry
from stack.error import StackError
from stack.record import Record, RecordedServer


def up(name: str, *, brokers: int, with_registry: bool) -> Record:
    """Start a stack and wait until it is ready; one that runs already is left as it is.

    Args:
        name: what `down` will call it.
        brokers: how many Kafka brokers, 0 for none.
        with_registry: whether it has a schema registry.

    Raises:
        StackError: it cannot be started (nothing is left running), or what is left of it is broken.
    """
    running = record.load(name)
    if running is not None:
        return _checked(name, running, brokers=brokers, with_registry=with_registry)
    try:
        return _start(name, brokers=brokers, with_registry=with_registry)
    except BaseException:
        down(name)
        raise


def down(name: str) -> bool:
    """End a stack's processes, remove its data, and say whether there was one."""
    running = record.load(name)
    if running is None:
        return False
    for server in running.servers:
        server.process.signal(SIGKILL)
    for server in running.servers:
        _await_end(server)
    shutil.rmtree(running.data, ignore_errors=True)
    record.forget(name)
    return True


def _checked(name: str, running: Record, *, brokers: int, with_registry: bool) -> Record:
    if not running.is_running:
        raise StackError(f"stack {name!r} is broken: see scripts/stack status, then scripts/stack down")
    has_brokers = len(running.kafka.split(",")) if running.kafka else 0
    if has_brokers != brokers or bool(running.registry) != with_registry:
        raise StackError(f"stack {name!r} runs already with other servers: scripts/stack down first")
    return running


def _start(name: str, *, brokers: int, with_registry: bool) -> Record:
    folder = Path(tempfile.mkdtemp(prefix=f"auth-events-{name}-"))
    started = Record(str(folder))
    record.save(name, started)
    schemas = registry.start_registry(folder) if with_registry else None
    if schemas is not None:
        recorded = RecordedServer.of(schemas.server)
        started = replace(started, servers=(recorded,), registry=schemas.url)
        record.save(name, started)
    if brokers:
        cluster = kafka.start_kafka(folder, brokers)
        recorded_brokers = tuple(RecordedServer.of(server) for server in cluster.servers)
        started = replace(started, servers=started.servers + recorded_brokers, kafka=cluster.bootstrap)
        record.save(name, started)
        kafka.report_ready(cluster)
    if schemas is not None:
        registry.report_ready(schemas)
    return started


def _await_end(server: RecordedServer) -> None:
    until = time.monotonic() + 10
    while server.process.is_running():
        if time.monotonic() > until:
            raise StackError(f"{server.name} (process {server.process.number}) does not end")
        time.sleep(0.02)
