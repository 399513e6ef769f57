"""What a relay says while it works: hooks, spans, log lines; and the maintenance that it does."""

from __future__ import annotations

import logging
import threading
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from immersiverse.auth.events import Outbox, RelayPolicy
from immersiverse.auth.events.observability import OpenTelemetryTracer
from immersiverse.auth.events.observability.hooks import OutboxBacklog, Relayed, RowSetAside, ShardsHeld
from outboxes import SERIALIZER, Target, new_database, user_deleted, wait_until
from stack.postgres import Postgres

Kind = TypeVar("Kind")


class Details:
    """A hook that keeps its details; called in two threads of a relay."""

    def __init__(self) -> None:
        self._all: list[Any] = []
        self._lock = threading.Lock()

    def __call__(self, detail: Any) -> None:
        """Keep a detail."""
        with self._lock:
            self._all.append(detail)

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Those of a kind."""
        with self._lock:
            return [each for each in self._all if isinstance(each, kind)]


def test_hooks_get_events_shards_and_backlog(target: Target) -> None:
    target.commit(*(user_deleted(f"user-{n}") for n in range(40)))
    hook = Details()
    with target.relaying(hooks=[hook]) as relay:
        assert len(target.ids(40)) == 40
        wait_until(lambda: hook.of(OutboxBacklog))
    sent = hook.of(Relayed)
    assert {each.topic for each in sent} == {target.topic}
    assert sum(each.count for each in sent) == 40
    assert 0 < sum(each.durations.seconds for each in sent) < 40 * 60
    taken, released = hook.of(ShardsHeld)
    assert (taken.relay, taken.shards, taken.taken) == (relay.name, frozenset(range(8)), 8)
    assert (released.shards, released.released, released.lost) == (frozenset(), 8, 0)
    assert hook.of(OutboxBacklog)[-1].outbox == "auth_events_outbox"


def test_hooks_get_what_is_set_aside(target: Target) -> None:
    with target.engine.begin() as connection:
        target.outbox.add(connection, user_deleted("anna"))
        target.redirect(connection, f"{target.topic}-missing")
    hook = Details()
    with target.relaying(hooks=[hook]):
        wait_until(lambda: hook.of(RowSetAside), seconds=60)
        wait_until(lambda: any(each.set_aside for each in hook.of(OutboxBacklog)))
    (refused,) = hook.of(RowSetAside)
    assert refused.topic == f"{target.topic}-missing"
    assert "UNKNOWN_TOPIC" in refused.error
    assert not hook.of(Relayed)


def test_a_lost_connection_loses_the_shards(target: Target) -> None:
    hook = Details()
    with target.relaying(hooks=[hook]):
        wait_until(lambda: hook.of(ShardsHeld))
        with target.engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND application_name = 'auth-events outbox relay'"
            )
        wait_until(lambda: any(each.lost == 8 for each in hook.of(ShardsHeld)))
        wait_until(lambda: len(hook.of(ShardsHeld)) == 3)  # taken again


def test_a_relay_continues_the_trace_of_its_transaction(target: Target) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = OpenTelemetryTracer(provider)
    target.outbox = Outbox(SERIALIZER, tracer=tracer)

    def spans(name: str) -> list[ReadableSpan]:
        return [span for span in exporter.get_finished_spans() if span.name == name]

    with provider.get_tracer("tests").start_as_current_span("request"):
        (added,) = target.commit(user_deleted("anna"))
    with target.relaying(tracer=tracer):
        (message,) = target.messages(1)
        wait_until(lambda: spans(f"send {target.topic}"))
    (request,), (create,), (send,) = (
        spans("request"),
        spans("create auth.events.user"),
        spans(f"send {target.topic}"),
    )
    assert create.parent is not None
    assert create.parent.span_id == request.context.span_id
    assert send.parent is not None
    assert send.parent.span_id == create.context.span_id
    assert dict(send.attributes or {})["messaging.message.id"] == added.event_id
    assert dict(send.attributes or {})["messaging.kafka.offset"] == message.offset()
    carried = dict(message.headers() or ())["traceparent"]
    assert isinstance(carried, bytes)
    assert f"{create.context.span_id:016x}" in carried.decode()
    provider.shutdown()


def test_a_relay_without_sampled_traces_makes_no_spans(target: Target) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    (added,) = target.commit(user_deleted("anna"))
    with target.relaying(tracer=OpenTelemetryTracer(provider)):
        assert target.ids(1) == [added.event_id]
    assert exporter.get_finished_spans() == ()
    provider.shutdown()


def test_the_log_says_what_happens(target: Target, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "immersiverse.auth.events.outbox"), target.relaying() as relay:
        wait_until(lambda: "took shard" in caplog.text)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == f"relay {relay.name}: relaying from auth_events_outbox"
    assert "took shard 0, 1, 2, 3, 4, 5, 6, 7; holds 0, 1, 2, 3, 4, 5, 6, 7" in lines
    assert lines[-2:] == [
        "released shard 0, 1, 2, 3, 4, 5, 6, 7; holds none",
        f"relay {relay.name}: has ended",
    ]


def test_a_relay_maintains_the_tables(target: Target) -> None:
    def partitions() -> int:
        with target.engine.begin() as connection:
            return int(
                connection.exec_driver_sql(
                    "SELECT count(*) FROM pg_inherits WHERE inhparent = 'auth_events_outbox'::regclass"
                ).scalar_one()
            )

    with target.engine.begin() as connection:
        last = connection.exec_driver_sql(
            "SELECT max(inhrelid::regclass::text) FROM pg_inherits "
            "WHERE inhparent = 'auth_events_outbox'::regclass AND inhrelid::regclass::text ~ '_p2'"
        ).scalar_one()
        connection.exec_driver_sql(f"DROP TABLE {last}")
    assert partitions() == 8
    with target.relaying(policy=RelayPolicy(maintain=False)):
        target.commit(user_deleted("anna"))
        assert len(target.ids(1)) == 1
        assert partitions() == 8
    with target.relaying():
        wait_until(lambda: partitions() == 9)


def test_a_relay_without_the_tables_says_so_once(
    postgres: Postgres, kafka: Any, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    with new_database(postgres.url) as owner:
        Outbox(SERIALIZER).create_all(owner)
        with owner.begin() as connection:
            connection.exec_driver_sql("CREATE ROLE relay_without_tables LOGIN")
            connection.exec_driver_sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO relay_without_tables")
        (added,) = Target(kafka.bootstrap, topic, owner).commit(user_deleted("anna"))
        engine = sa.create_engine(owner.url.set(username="relay_without_tables"))
        target = Target(kafka.bootstrap, topic, engine)
        with caplog.at_level(logging.INFO, "immersiverse.auth.events.outbox"), target.relaying():
            assert target.ids(1) == [added.event_id]
            wait_until(lambda: "does not maintain the tables" in caplog.text)
        engine.dispose()
        with owner.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY relay_without_tables")
            connection.exec_driver_sql("DROP ROLE relay_without_tables")
