"""An outage of a broker is a few lines that say what is wrong; librdkafka's own lines are at level DEBUG."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from confluent_kafka import KafkaError

from immersiverse.auth.events.kafka import connection_log
from immersiverse.auth.events.kafka.connection_log import ConnectionLog

LOGGER = logging.getLogger("connections")
WHY = "Connect to ipv4#127.0.0.1:9 failed: Connection refused"
REFUSED = f"127.0.0.1:9/bootstrap: {WHY} (after 0ms in state CONNECT)"


def error(text: str) -> KafkaError:
    return KafkaError(KafkaError._TRANSPORT, text)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG]


def test_an_outage_is_one_line_when_it_begins_and_one_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = ConnectionLog("producer", {}, LOGGER)
    settings = log.settings
    for _ in range(50):
        settings["error_cb"](error(REFUSED))
        log.log(logging.ERROR, "%s [%s] %s", "FAIL", "rdkafka#producer-1", f"[thrd:x]: {REFUSED}")
    (line,) = lines(caplog)
    assert line == (f"producer cannot use broker 127.0.0.1:9, trying again until it can: {WHY}")
    assert len([record for record in caplog.records if record.levelno == logging.DEBUG]) == 50
    settings["stats_cb"](json.dumps({"brokers": {"b": {"nodename": "127.0.0.1:9", "state": "DOWN"}}}))
    assert log.cause == f"127.0.0.1:9: {WHY}"
    settings["stats_cb"](json.dumps({"brokers": {"b": {"nodename": "127.0.0.1:9", "state": "UP"}}}))
    assert "reaches broker 127.0.0.1:9 again" in lines(caplog)[1]
    assert (len(lines(caplog)), log.cause) == (2, "")


def test_an_outage_that_lasts_is_a_reminder_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(connection_log.time, "monotonic", lambda: now[0])
    log = ConnectionLog("consumer", {}, LOGGER)
    for second in range(150):
        now[0] = 1_000.0 + second
        log.settings["error_cb"](error(REFUSED))
    assert len(lines(caplog)) == 3
    assert "consumer cannot use broker 127.0.0.1:9 for 60 s" in lines(caplog)[1]


def test_a_connection_that_was_up_and_ended_is_not_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    log = ConnectionLog("producer", {}, LOGGER)
    log.settings["error_cb"](error("127.0.0.1:9/1: Disconnected (after 600000ms in state UP)"))
    assert (lines(caplog), log.cause) == ([], "")


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (
            "SASL authentication error: Authentication failed due to invalid credentials (in state AUTH_REQ)",
            "wrong user name or password",
        ),
        ("SSL handshake failed: wrong version number (in state SSL_HANDSHAKE)", "no TLS on the other side"),
        ("Disconnected: connection closed by peer (in state APIVERSION_QUERY)", "may expect TLS or SASL"),
        (
            "SASL X mechanism handshake failed: Unsupported SASL mechanism",
            "does not offer this sasl.mechanism",
        ),
        ("Failed to resolve 'h:9': Name or service not known", "the host name is unknown"),
    ],
)
def test_the_line_says_what_librdkafkas_words_mean(
    words: str, meaning: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = ConnectionLog("producer", {}, LOGGER)
    log.settings["error_cb"](error(f"sasl_ssl://h:9/bootstrap: {words}"))
    assert meaning in lines(caplog)[0]
    assert meaning in log.cause


def test_the_users_own_callbacks_are_still_called() -> None:
    called: list[Any] = []
    given = {"error_cb": called.append, "stats_cb": called.append, "statistics.interval.ms": 100}
    settings = ConnectionLog("producer", given, LOGGER).settings
    settings["error_cb"](error(REFUSED))
    settings["stats_cb"](text := '{"brokers": {}}')
    assert called[1:] == [text]
    assert called[0].str() == REFUSED
    assert settings["statistics.interval.ms"] == 100
