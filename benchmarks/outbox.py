"""The outbox: what adding costs, how fast and how soon a relay sends, and what its writers notice of it."""

from __future__ import annotations

import itertools
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from benchmarks.event import EVENT
from benchmarks.outbox_rows import SERIALIZER, Arrivals, Bench, bench

from immersiverse.auth.events import AuthEvent
from immersiverse.auth.events.outbox.tables import MESSAGE

if TYPE_CHECKING:
    from collections.abc import Callable

GOALS: Final[dict[str, tuple[str, float]]] = {
    "outbox_relay_events_per_s": ("at least", 40_000),
    "outbox_two_relays_vs_one": ("at least", 1.0),
    "outbox_latency_p50_ms": ("at most", 10),
    "outbox_latency_p99_ms": ("at most", 60),
    "outbox_latency_p99_with_old_transaction_ms": ("at most", 60),
    "outbox_add_vs_insert": ("at most", 2.0),
    "outbox_writers_tps_with_relay": ("at least", 0.97),
    "outbox_vs_debezium": ("at least", 1.0),
}
_RATE: Final = 500  # events per second, for latency
_CLIENTS: Final = (16, 64)
_PGBENCH: Final = """
\\set user random(1, 20000)
BEGIN;
INSERT INTO auth_events_outbox_versions AS v (user_id, version) VALUES ('user-' || :user, 1)
  ON CONFLICT (user_id) DO UPDATE SET version = v.version + 1;
INSERT INTO auth_events_outbox (shard, {columns})
  SELECT :user % 8, {columns} FROM benchmark_row;
COMMIT;
"""


def measure(events: int, rounds: int, *, with_debezium: bool) -> dict[str, float]:
    """All figures by name.

    Args:
        events: how many rows a relay has to catch up on.
        rounds: how often each of two ways gets its turn.
        with_debezium: whether to compare with Debezium, which downloads it once.
    """
    with bench() as made:
        figures = {"outbox_add_vs_insert": _add_vs_insert(made, rounds * 300)}
        one, two = _catching_up(made, events, rounds)
        figures["outbox_relay_events_per_s"] = one
        figures["outbox_two_relays_vs_one"] = two / one
        figures |= _latencies(made)
        figures["outbox_writers_tps_with_relay"] = min(_writers(made, each, rounds) for each in _CLIENTS)
        if with_debezium:
            figures["outbox_vs_debezium"] = _vs_debezium(made, min(events, 50_000))
        return figures


def as_table(figures: dict[str, float]) -> str:
    """Figures with their goals."""
    return "\n".join(_line(name, figure) for name, figure in figures.items())


def _line(name: str, figure: float) -> str:
    word, goal = GOALS[name]
    kept = figure >= goal if word == "at least" else figure <= goal
    return f"{name:45} {figure:12,.2f}   ({word} {goal:g}){'' if kept else '  MISSED'}"


def _event(number: int) -> AuthEvent:
    event = AuthEvent()
    event.CopyFrom(EVENT)
    event.version = 0
    event.event_id = f"{EVENT.event_id[:-8]}{number:08d}"
    event.login_succeeded.user_id = f"user-{number % 1_000}"
    return event


def _add_vs_insert(made: Bench, times: int) -> float:
    """The time of a transaction that adds, over one that inserts the same row; median of each."""
    numbers = itertools.count(90_000_000)
    message = SERIALIZER.serialize(_event(0))
    row: dict[str, Any] = dict.fromkeys(MESSAGE)
    names = {"content-type": "content_type", "ce_id": "id", "ce_type": "type"}
    row |= {names.get(name, name): value.decode() for name, value in message.headers}
    row |= {"aggregatetype": message.topic, "aggregateid": message.key.decode(), "payload": message.value}
    values = ", ".join(f":{column}" for column in MESSAGE)
    plain = sa.text(f"INSERT INTO auth_events_outbox (shard, {', '.join(MESSAGE)}) VALUES (0, {values})")

    def insert(connection: sa.Connection) -> None:
        connection.execute(plain, row)

    def add(connection: sa.Connection) -> None:
        made.outbox.add(connection, _event(next(numbers)))

    taken: dict[Callable[[sa.Connection], None], list[float]] = {insert: [], add: []}
    for turn in range(times):
        for way, seconds in taken.items():
            begun = time.perf_counter()
            with made.engine.begin() as connection:
                way(connection)
            if turn > 10:  # caches are warm  # noqa: PLR2004
                seconds.append(time.perf_counter() - begun)
    return statistics.median(taken[add]) / statistics.median(taken[insert])


def _catching_up(made: Bench, events: int, rounds: int) -> tuple[float, float]:
    """Events a second of one relay and of two that catch up on a backlog; medians."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(max(1, rounds // 2)):
        for relays, of in rates.items():
            made.fill(events)
            before = made.end()
            with made.relays(relays):
                made.seconds_until(before + 1)  # which leaves out the start of Python
                first = made.end()
                of.append((before + events - first) / made.seconds_until(before + events))
    return statistics.median(rates[1]), statistics.median(rates[2])


def _latencies(made: Bench) -> dict[str, float]:
    with made.relays():
        time.sleep(3)
        quiet = _latency(made, 20)
        with made.old_transaction():
            old = _latency(made, 10)
    return {
        "outbox_latency_p50_ms": statistics.median(quiet),
        "outbox_latency_p99_ms": quiet[int(len(quiet) * 0.99)],
        "outbox_latency_p99_with_old_transaction_ms": old[int(len(old) * 0.99)],
    }


def _latency(made: Bench, seconds: int) -> list[float]:
    """Milliseconds from each commit to its event's arrival at a consumer, sorted."""
    arrivals, committed = Arrivals(made.bootstrap), dict[str, float]()
    begun = time.perf_counter()
    for number in range(_RATE * seconds):
        event = _event(int(begun) % 10_000 * 10_000 + number)
        with made.engine.begin() as connection:
            made.outbox.add(connection, event)
        committed[event.event_id] = time.perf_counter()
        time.sleep(max(0.0, begun + number / _RATE - time.perf_counter()))
    time.sleep(1)
    arrivals.stop()
    return sorted((arrivals.at[each] - at) * 1_000 for each, at in committed.items())


def _writers(made: Bench, clients: int, rounds: int) -> float:
    """Transactions a second of pgbench's clients with a relay over those without; medians."""
    with made.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS benchmark_row")
        connection.exec_driver_sql(
            f"CREATE TABLE benchmark_row AS SELECT {', '.join(MESSAGE)} FROM auth_events_outbox LIMIT 1"
        )
    without, relayed = list[float](), list[float]()
    for _ in range(rounds):
        without.append(_pgbench(made, clients))
        with made.relays():
            time.sleep(4)
            relayed.append(_pgbench(made, clients))
    return statistics.median(relayed) / statistics.median(without)


def _pgbench(made: Bench, clients: int) -> float:
    url = made.engine.url
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_PGBENCH.format(columns=", ".join(MESSAGE)))
        script.flush()
        command = [
            str(Path(made.server.programs) / "pgbench"), "-n", "-T", "8", "-c", str(clients), "-j", "2",
            "-f", script.name, "-h", str(url.host), "-p", str(url.port), "-U", str(url.username),
            str(url.database),
        ]  # fmt: skip
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found is not None
    return float(found[1])


def _vs_debezium(made: Bench, events: int) -> float:
    """The relay's rate over Debezium's, each while the rows are committed at once."""
    import configparser  # noqa: PLC0415 - only here

    from stack.debezium import debezium  # noqa: PLC0415 - lives among the tests

    with made.relays():
        time.sleep(4)
        ours = _seconds_to_arrive(made, events)
    with made.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE PUBLICATION auth_events_outbox FOR TABLE auth_events_outbox "
            "WITH (publish = 'insert', publish_via_partition_root = true)"
        )
    parser = configparser.ConfigParser(interpolation=None, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names are case-sensitive
    file = Path(__file__).parents[1] / "deploy" / "debezium" / "outbox.properties"
    parser.read_string("[connector]\n" + file.read_text())
    url = made.engine.url
    where = {"hostname": url.host, "port": url.port, "user": url.username, "dbname": url.database}
    settings = {**parser["connector"], **{f"database.{name}": str(value) for name, value in where.items()}}
    with debezium(settings, made.bootstrap):
        time.sleep(4)
        _seconds_to_arrive(made, 1_000)
        theirs = _seconds_to_arrive(made, events)
    return theirs / ours


def _seconds_to_arrive(made: Bench, events: int) -> float:
    before = made.end()
    begun = time.perf_counter()
    made.fill(events)
    made.seconds_until(before + events)
    return time.perf_counter() - begun
