"""A publisher that nothing closed loses nothing in silence."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable

import pytest

from immersiverse.auth.events import (
    AuthEventSerializer,
    Delivery,
    LoggedOut,
    PinnedSchemas,
    Publisher,
    new_event,
)
from immersiverse.auth.events.kafka.producer import core
from serialization_samples import TIME

BROKERS = {"bootstrap.servers": "in-the-process:1", "test.mock.num.brokers": 1}
NOWHERE = {"bootstrap.servers": "127.0.0.1:1"}

PROGRAM = """
import sys
from immersiverse.auth.events import AuthEventSerializer, LoggedOut, PinnedSchemas, Publisher, new_event
from immersiverse.auth.events.kafka.producer import core
core._UNCLOSED = {bound}
publisher = Publisher({config}, serializer=AuthEventSerializer(PinnedSchemas(1)))
payload = LoggedOut(user_id="u", session_id="1")
payload.logged_out_at.GetCurrentTime()
publisher.send(new_event(payload, source="/x"), on_done=lambda delivery: print("offset", delivery.offset))
"""


def send(config: dict[str, object]) -> Delivery:
    """Send an event by a publisher that nothing refers to afterwards."""
    publisher = Publisher(config, serializer=AuthEventSerializer(PinnedSchemas(1)))
    payload = LoggedOut(user_id="u-1", session_id="1", logged_out_at=TIME)
    return publisher.send(new_event(payload, source="/services/auth", version=1))


def eventually(holds: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "auth-events-producer"]


def test_what_a_collected_publisher_has_queued_is_delivered_and_its_thread_ends() -> None:
    delivery = send({**BROKERS, "linger.ms": 500})
    gc.collect()
    assert delivery.result(30).offset == 0
    eventually(lambda: not threads())


def test_what_a_collected_publisher_cannot_deliver_is_warned_of_with_its_number(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "_UNCLOSED", 0.2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        delivery = send(NOWHERE)
        gc.collect()
        eventually(lambda: not threads())
    said = "garbage collection came before a publisher was closed: 1 events are undelivered"
    assert said in [str(one.message) for one in caught if one.category is ResourceWarning]
    assert said in [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert delivery.error is not None


@pytest.mark.parametrize(
    ("config", "bound", "out", "err"),
    [
        (BROKERS, 30, "offset 0\n", ""),
        (
            NOWHERE,
            0.2,
            "offset -1\n",
            "the interpreter exits before a publisher was closed: 1 events are undelivered",
        ),
    ],
)
def test_an_interpreter_that_exits_delivers_or_says_how_many_are_lost(
    config: dict[str, object], bound: float, out: str, err: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "always", "-c", PROGRAM.format(config=config, bound=bound)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ended.stdout == out
    assert err in ended.stderr
    assert ("ResourceWarning" in ended.stderr) == bool(err)
