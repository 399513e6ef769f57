"""Commands that run until they are stopped: registry serve, dev."""

from __future__ import annotations

import json
import signal
import socket
import textwrap
from contextlib import closing
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer

from component.cli.terminal import end, read_until, running
from immersiverse.auth.events import UserDeleted, new_event

STOP = pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])


@STOP
def test_a_served_registry_says_where_it_is_and_ends_cleanly(auth_events, stop):
    with running("registry", "serve", "--port", "0") as process:
        url = read_until(process, r"http://\S+").group()
        assert auth_events("schema", "register", "--registry", url).code == 0
        result = end(process, stop)
    assert (result.code, result.err) == (0, "")


def test_a_registry_with_a_file_remembers(auth_events, tmp_path):
    file = tmp_path / "registry.json"
    for expected in ("not registered", "this"):
        with running("registry", "serve", "--port", "0", "--file", file) as process:
            url = read_until(process, r"http://\S+").group()
            rows = auth_events("schema", "list", "--registry", url, "--json").document
            assert {row["contract"] for row in rows} == {expected}
            auth_events("schema", "register", "--registry", url)
            end(process, signal.SIGTERM)


def test_a_port_that_is_taken_is_one_line_and_exit_code_3(auth_events, empty_registry):
    port = empty_registry.rpartition(":")[2]
    for command in (("registry", "serve", "--port", port), ("dev", "--registry-port", port)):
        result = auth_events(*command)
        assert (result.code, result.out) == (3, "")
        assert result.err.startswith(f"auth-events: cannot listen on 127.0.0.1:{port}")


def test_a_file_that_is_no_registrys_is_left_alone(auth_events, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("dear diary")
    assert auth_events("registry", "serve", "--port", "0", "--file", file).code == 1
    assert file.read_text() == "dear diary"


@STOP
def test_dev_says_where_everything_is_and_ends_cleanly(auth_events, stop):
    with running("dev", "--json", "--brokers", "2") as process:
        addresses = json.loads(read_until(process, r"(?s)\{.*\}").group())
        cluster = Producer({"bootstrap.servers": addresses["bootstrap"], "log.connection.close": False})
        assert len(cluster.list_topics(timeout=10).brokers) == 2
        rows = auth_events("schema", "list", "--registry", addresses["registry"], "--json").document
        assert {row["contract"] for row in rows} == {"this"}
        result = end(process, stop)
    assert (result.code, result.err) == (0, "")


def test_dev_listens_where_it_is_asked_to(auth_events, monkeypatch):
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with running("dev", "--kafka-port", str(port)) as process:
        monkeypatch.setenv("AUTH_EVENTS_BOOTSTRAP_SERVERS", f"localhost:{port}")
        assert (
            f"AUTH_EVENTS_BOOTSTRAP_SERVERS=localhost:{port} " in read_until(process, "  export .*\n").group()
        )
        events = auth_events("simulate", "--events", "3").out
        assert auth_events("publish", "--schema-id", "1", stdin=events).code == 0
        assert len(auth_events("tail", "--from", "beginning", "--count", "3").lines) == 3
        taken = auth_events("dev", "--kafka-port", str(port))
        assert (taken.code, taken.err.count("\n")) == (3, 1)
        assert taken.err.startswith(f"auth-events: cannot listen on localhost:{port}: ")
        result = end(process, signal.SIGINT)
    assert (result.code, result.err) == (0, "")


def test_what_dev_says_can_be_pasted_into_a_shell(auth_events, monkeypatch):
    with running("dev") as process:
        for variable in read_until(process, r"  export (.*)\n").group(1).split():
            monkeypatch.setenv(*variable.split("="))
        events = auth_events("simulate", "--events", "3").out
        assert auth_events("publish", stdin=events).code == 0
        arrived = auth_events("tail", "--from", "beginning", "--count", "3").out
        assert sorted(arrived.splitlines()) == sorted(events.splitlines())


def test_what_dev_says_can_be_pasted_into_python():
    with running("dev") as process:
        program = read_until(process, r"(?s)In Python:\n(.*?)\n\nGive").group(1)
        names = {}
        exec(textwrap.dedent(program), names)  # as its reader would
        payload = UserDeleted(user_id="u", deleted_at=datetime.now(UTC))
        with names["registry"], names["publisher"] as publisher:
            delivery = publisher.send(new_event(payload, source="/tests"))
        assert delivery.result(0).topic == "auth.events.user"
