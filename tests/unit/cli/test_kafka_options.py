"""Which Kafka, and with which settings."""

from __future__ import annotations

import time

import pytest

from immersiverse.auth.events.cli.options.kafka import KafkaOptions
from immersiverse.auth.events.cli.options.time import format_time, milliseconds_of
from immersiverse.auth.events.cli.output import CommandFailed, failure_of
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.events import EventVersions
from immersiverse.auth.events.serialization.text import hexdump
from immersiverse.auth.events.simulation import simulate

QUIET = {"log_level": 2, "log.connection.close": False}


def settings(*options):
    return KafkaOptions(*options).settings()


def test_the_servers_beat_settings_and_settings_beat_the_file(tmp_path):
    file = tmp_path / "kafka.properties"
    file.write_text("# ours\n\nbootstrap.servers = a:1\nclient.id=x=y\n! more\nacks=all\n")
    assert settings(None, None, file) == {
        **QUIET,
        "bootstrap.servers": "a:1",
        "client.id": "x=y",
        "acks": "all",
    }
    found = settings("c:3", ["client.id=z", "bootstrap.servers=b:2"], file)
    assert (found["bootstrap.servers"], found["client.id"]) == ("c:3", "z")
    assert settings(None, ["bootstrap.servers=b:2"], file)["bootstrap.servers"] == "b:2"


@pytest.mark.parametrize("begin", ["", "auth-consumer:\n"])
def test_yaml_is_read_plain_and_as_the_specification_writes_it(tmp_path, begin):
    file = tmp_path / "kafka.yaml"
    indent = "  " if begin else ""
    lines = ("bootstrap.servers: kafka:9092", "group.id: g", "topics: [auth.events.user]")
    file.write_text(begin + "".join(f"{indent}{line}\n" for line in lines))
    assert settings(None, None, file) == {
        **QUIET,
        "bootstrap.servers": "kafka:9092",
        "group.id": "g",
    }


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("k.yaml", "a: [1]", "a: must be one value, not a list"),
        ("k.yaml", "- a", "must be a mapping of settings"),
        ("k.yaml", "a: b: c", "is not valid YAML"),
        ("k.properties", "a=1\nsasl.password secret", "setting 2 is not KEY=VALUE"),
    ],
)
def test_a_malformed_file_is_refused_without_quoting_it(tmp_path, name, text, words):
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises((CommandFailed, ConfigurationError), match=words) as caught:
        settings("a:1", None, file)
    assert failure_of(caught.value).exit_code == 2
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandFailed, match=r"cannot read .*nothing: No such file"):
        settings("a:1", None, tmp_path / "nothing")


def test_debug_shows_the_log_of_librdkafka():
    assert settings("a:1", ["debug=broker"], None) == {
        "bootstrap.servers": "a:1",
        "debug": "broker",
    }


@pytest.mark.parametrize("command", [("lag",), ("tail",), ("publish",), ("dlq", "list"), ("dlq", "redrive")])
def test_without_servers_a_command_asks_for_them(auth_events, monkeypatch, command):
    monkeypatch.delenv("AUTH_EVENTS_BOOTSTRAP_SERVERS", raising=False)
    result = auth_events(*command)
    assert (result.code, result.out) == (2, "")
    assert "AUTH_EVENTS_BOOTSTRAP_SERVERS" in result.err


@pytest.mark.parametrize("setting", ["foo=bar", "log_level=many", "socket.timeout.ms=1"])
def test_a_setting_that_librdkafka_does_not_take_is_wrong_use(auth_events, setting):
    result = auth_events("lag", "-b", "127.0.0.1:1", "-c", setting)
    assert result.code == 2
    assert len(result.err.splitlines()) == 1


def test_a_setting_that_breaks_a_guarantee_is_wrong_use(auth_events):
    asked = ("publish", "--format", "json", "-b", "127.0.0.1:1", "-c", "acks=1", "-c", "x=1")
    assert auth_events(*asked).code == 2


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T01:00:01.5+01:00", 1_500),
        ("1970-01-01T00:00:02", 2_000),
        ("1970-01-02", 86_400_000),
        ("1751360400000", 1_751_360_400_000),
    ],
)
def test_times_are_in_utc_unless_they_say(text, milliseconds):
    assert milliseconds_of(text) == milliseconds


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800)])
def test_times_may_be_ages(text, seconds):
    assert milliseconds_of(text) == pytest.approx((time.time() - seconds) * 1000, abs=5_000)


@pytest.mark.parametrize("text", ["", "yesterday", "2h30m", "12", "2025-13-01", "-2h", "9999999999d"])
def test_an_invalid_time_is_wrong_use(text):
    with pytest.raises(CommandFailed, match="invalid time") as caught:
        milliseconds_of(text)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["99999d", "999999999d", "1969-12-31", "0001-01-01T00:00:00Z"])
def test_a_time_before_1970_is_the_beginning(text):
    assert milliseconds_of(text) == 0


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "253402300800000"),
        (1_751_360_400_123_456, "1751360400123456"),
        (2**63 - 1, "9223372036854775807"),
    ],
)
def test_times_beyond_the_year_9999_are_written_as_the_number(milliseconds, text):
    assert format_time(milliseconds) == text


def test_times_are_written_with_milliseconds_and_an_unknown_one_is_empty():
    assert format_time(1_751_360_400_007) == "2025-07-01T09:00:00.007Z"
    assert format_time(-1) == ""


def test_a_hexdump_shows_sixteen_bytes_a_line():
    assert list(hexdump(bytes(range(0x3A, 0x4B)) + b"\x7f\x00")) == [
        "00000000  3a 3b 3c 3d 3e 3f 40 41 42 43 44 45 46 47 48 49  :;<=>?@ABCDEFGHI",
        "00000010  4a 7f 00                                         J..",
    ]
    assert list(hexdump(b"")) == []


def test_versions_go_on_from_the_greatest_seen():
    (event,) = simulate(1, 1)
    versions, given = EventVersions(), []
    for version in (0, 5, 3, 0):
        event.version = version
        versions.give(event)
        given.append(event.version)
    assert given == [1, 5, 3, 6]
