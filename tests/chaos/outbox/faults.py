"""What can go wrong with an outbox, and how it is put right again."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals

import psycopg

from chaos.conductor import Fault, Strike
from chaos.faults import killed
from chaos.outbox.stage import OutboxStage
from stack.process_id import ProcessId

_ENDED = 10.0  # seconds for killed processes to be gone


def kill_relay(stage: OutboxStage, random: Random, busy: set[str]) -> Fault | None:
    """Kill a relay, and start it again."""
    return killed("relay killed", random.choice(stage.relays), random, busy)


def freeze_relay(stage: OutboxStage, random: Random, busy: set[str]) -> Fault | None:
    """Freeze a relay, until after another has taken its shards or before."""
    victim = random.choice(stage.relays)
    if victim.name in busy or not victim.is_running:
        return None
    victim.freeze()
    return Fault("relay frozen", victim.name, random.uniform(1, 9), victim.thaw)


def kill_writer(stage: OutboxStage, random: Random, busy: set[str]) -> Fault | None:
    """Kill a writer in the middle of its transactions."""
    return killed("writer killed", random.choice(stage.writers), random, busy)


def kill_subscriber(stage: OutboxStage, random: Random, busy: set[str]) -> Fault | None:
    """Kill the subscriber."""
    return killed("subscriber killed", stage.subscriber, random, busy)


def kill_postgres(stage: OutboxStage, random: Random, busy: set[str]) -> Fault | None:
    """Kill all of the database's processes at once."""
    if "postgres" in busy:
        return None
    server = stage.postgres.server
    processes = _processes(server.process_id)
    _signal(processes[:1], SIGSTOP)  # it starts no more
    processes = _processes(server.process_id)
    _signal(processes, SIGKILL)
    server.kill()
    _wait_until_gone(processes)
    return Fault("postgres killed", "postgres", random.uniform(0, 2), stage.postgres.start)


def stop_postgres(stage: OutboxStage, random: Random, busy: set[str]) -> Fault | None:
    """Stop the database without a checkpoint: it recovers when it starts."""
    if "postgres" in busy:
        return None
    stage.postgres.stop()
    return Fault("postgres stopped", "postgres", random.uniform(0, 2), stage.postgres.start)


def freeze_postgres(stage: OutboxStage, random: Random, busy: set[str]) -> Fault | None:
    """Freeze all of the database's processes."""
    if "postgres" in busy:
        return None
    processes = _processes(stage.postgres.server.process_id)
    _signal(processes, SIGSTOP)
    return Fault("postgres frozen", "postgres", random.uniform(0.5, 4), lambda: _signal(processes, SIGCONT))


def cut_connections(stage: OutboxStage, random: Random, busy: set[str]) -> Fault | None:
    """End some connections to the database: of relays, of writers, or of all."""
    if "postgres" in busy:
        return None
    whose = random.choice(("auth-events outbox relay", "writer-%", "%"))
    with suppress(psycopg.Error), stage.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' "
            "AND pid <> pg_backend_pid() AND application_name LIKE %s AND random() < 0.6",
            (whose,),
        )
    return Fault("connections cut", "", 0, lambda: None)


def kill_broker(stage: OutboxStage, random: Random, busy: set[str]) -> Fault | None:
    """Kill Kafka, and bring it back."""
    if "broker" in busy or not stage.broker_is_back():
        return None
    (server,) = stage.cluster.servers
    server.kill()
    return Fault("broker killed", "broker", random.uniform(0, 3), server.start)


def freeze_broker(stage: OutboxStage, random: Random, busy: set[str]) -> Fault | None:
    """Freeze Kafka."""
    if "broker" in busy:
        return None
    (server,) = stage.cluster.servers
    process = server.process_id
    process.signal(SIGSTOP)
    return Fault("broker frozen", "broker", random.uniform(0.5, 5), lambda: process.signal(SIGCONT))


ONCE: tuple[Strike[OutboxStage], ...] = (
    kill_relay, freeze_relay, kill_postgres, cut_connections, kill_writer, kill_broker,
)  # fmt: skip
LATER: tuple[Strike[OutboxStage], ...] = (
    *(kill_relay, kill_relay, freeze_relay, freeze_relay, cut_connections, cut_connections),
    *(kill_postgres, stop_postgres, freeze_postgres),
    *(kill_broker, freeze_broker, kill_writer, kill_subscriber),
)


def _processes(server: ProcessId) -> list[ProcessId]:
    """A server and its children."""
    children = Path(f"/proc/{server.number}/task/{server.number}/children").read_text()
    return [server, *map(ProcessId.of, map(int, children.split()))]


def _signal(processes: Iterable[ProcessId], number: Signals) -> None:
    for process in processes:
        process.signal(number)


def _wait_until_gone(processes: list[ProcessId]) -> None:
    until = time.monotonic() + _ENDED
    while any(process.is_running() for process in processes) and time.monotonic() < until:
        time.sleep(0.02)
