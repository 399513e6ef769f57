"""A password is in no error, no log line and no repr."""

from __future__ import annotations

import asyncio
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest

from immersiverse.auth.events import (
    AsyncPublisher,
    AuthEventDeserializer,
    ConfigurationError,
    DeadLetters,
    PinnedSchemas,
    Publisher,
    Subscriber,
)
from integration.running import ToTopic, eventually, logged_out, running
from integration.security.conftest import Run
from integration.security.guarded import SOON, Guarded, User


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The whole log, librdkafka's debugging included."""
    caplog.set_level(logging.DEBUG)
    return caplog


def test_publishing_consuming_and_dead_lettering_log_no_password_even_when_debugging(
    guarded: Guarded,
    user: User,
    topic: str,
    dead_letter_topic: str,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    group = f"group-of-{topic}"
    user.may("WRITE", topic).may("READ", topic).may("READ", group=group).may("WRITE", dead_letter_topic)
    with user.publisher(topic, debug="all") as publisher:
        publisher.send(logged_out()).result()
    subscriber = user.subscriber([topic], group, dead_letter_topic=dead_letter_topic, debug="all")

    @subscriber.on_any
    def handle(_event: Any, _payload: Any) -> None:
        raise ValueError

    with running(subscriber):
        eventually(lambda: guarded.committed(group, topic) == 1)
    log = everything_logged.text
    for client in ("producer.core", "consumer.poller"):
        assert f"immersiverse.auth.events.kafka.{client}" in log
    assert user.name in log  # so the log is one in which a password could be
    assert user.password not in log
    assert user.password.encode() not in b"".join(value for _, value in _headers(guarded, dead_letter_topic))


def _headers(guarded: Guarded, dead_letter_topic: str) -> list[tuple[str, bytes]]:
    (dead_letter,) = guarded.read(dead_letter_topic)
    found: Any = dead_letter.headers() or []
    return [(name, value or b"") for name, value in found]


def test_nothing_that_holds_a_password_shows_it(user: User, topic: str) -> None:
    config = {**user.config, "group.id": "group"}
    things: list[object] = [
        user.publisher(topic),
        Subscriber(config, [topic], deserializer=AuthEventDeserializer(PinnedSchemas(1))),
        DeadLetters(config, patience=SOON),
        asyncio.run(_async_publisher(user.config, topic)),
    ]
    assert [thing for thing in things if user.password in f"{thing!r}{thing}"] == []


async def _async_publisher(config: dict[str, Any], topic: str) -> AsyncPublisher:
    return AsyncPublisher(config, serializer=ToTopic(topic))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"sasl.mechanism": "NONSENSE"}, id="an unknown mechanism"),
        pytest.param({"no.such.setting": "1"}, id="an unknown setting"),
        pytest.param({"ssl.ca.location": "/nowhere"}, id="a missing file"),
        pytest.param(
            {"sasl.jaas.config": 'LoginModule required password="{password}";'}, id="Java's setting"
        ),
        pytest.param({"ssl.key.pem": "{password}"}, id="a key that is none"),
        pytest.param({"sasl.username": ""}, id="no name"),
    ],
)
def test_a_refused_setting_does_not_tell_the_password_beside_or_in_it(
    user: User, topic: str, wrong: dict[str, str]
) -> None:
    config = {**user.config, **{key: value.format(password=user.password) for key, value in wrong.items()}}
    with pytest.raises(ConfigurationError) as publishing:
        Publisher(config, serializer=ToTopic(topic))
    with pytest.raises(ConfigurationError) as consuming:
        Subscriber({**config, "group.id": "g"}, [topic], deserializer=AuthEventDeserializer())
    assert user.password not in f"{publishing.value!r}{publishing.value}{consuming.value!r}{consuming.value}"


@pytest.mark.parametrize("written", ['"{}', "{}: {}", "@{}", "*{}", "!{} x", "%{}"])
def test_a_file_that_is_no_yaml_is_refused_without_its_text(
    terminal: Run, tmp_path: Path, written: str
) -> None:
    password, file = "swordfish", tmp_path / "consumer.yaml"
    file.write_text(f"auth-consumer:\n  sasl.password: {written.format(password, password)}\n")
    with pytest.raises(
        ConfigurationError, match=r"consumer\.yaml is not valid YAML: see line \d$"
    ) as refusal:
        Subscriber.from_yaml(file, deserializer=AuthEventDeserializer(), environ={})
    shown = "".join(traceback.format_exception(refusal.value))
    result = terminal("lag", "--config-file", str(file))
    assert result.code == 2
    assert password not in shown + result.err
