"""A subscriber is made from the specification's block of YAML, and from the environment over it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
from immersiverse.auth.events.kafka.consumer_yaml import read_yaml
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

SPECIFIED = """\
auth-consumer:
  bootstrap.servers: "kafka:9092"
  group.id: "auth-consumer-group"
  topics:
    - "auth.events.user"
    - "auth.events.login"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The specification's example."""
    return written(tmp_path, SPECIFIED)


def written(folder: Path, text: str) -> Path:
    path = folder / "consumer.yaml"
    path.write_text(text)
    return path


def refused(path: Path, environ: Mapping[str, str] | None = None) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refusal:
        Subscriber.from_yaml(path, deserializer=AuthEventDeserializer(), environ=environ or {})
    return refusal.value


def test_the_specifications_block_is_read_as_it_stands(file: Path) -> None:
    found = read_yaml(file, {})
    assert found.config == {"bootstrap.servers": "kafka:9092", "group.id": "auth-consumer-group"}
    assert found.topics == ("auth.events.user", "auth.events.login")


def test_the_specifications_block_makes_a_subscriber(file: Path) -> None:
    assert isinstance(
        Subscriber.from_yaml(file, deserializer=AuthEventDeserializer(), environ={}), Subscriber
    )


def test_other_settings_of_librdkafka_may_stand_in_it(tmp_path: Path) -> None:
    path = written(tmp_path, SPECIFIED + "  enable.auto.commit: true\n  session.timeout.ms: 6000\n")
    config = read_yaml(path, {}).config
    assert (config["enable.auto.commit"], config["session.timeout.ms"]) == (True, 6000)
    Subscriber.from_yaml(path, deserializer=AuthEventDeserializer(), environ={})


def test_the_environment_goes_before_the_file(file: Path) -> None:
    environ = {
        "AUTH_CONSUMER_BOOTSTRAP_SERVERS": "a:1,b:2",
        "AUTH_CONSUMER_SESSION_TIMEOUT_MS": "7000",
        "AUTH_CONSUMER_TOPICS": "auth.events.security, auth.events",
        "HOME": "/",
    }
    found = read_yaml(file, environ)
    assert found.config == {
        "bootstrap.servers": "a:1,b:2",
        "group.id": "auth-consumer-group",
        "session.timeout.ms": "7000",
    }
    assert found.topics == ("auth.events.security", "auth.events")


def test_an_unknown_setting_is_named_with_its_file(tmp_path: Path) -> None:
    path = written(tmp_path, SPECIFIED + "  grup.id: x\n")
    error = refused(path)
    assert error.key == "grup.id"
    assert str(path) in str(error)


def test_an_unknown_variable_is_named(file: Path) -> None:
    error = refused(file, {"AUTH_CONSUMER_GRUP_ID": "x"})
    assert error.key == "grup.id"
    assert "AUTH_CONSUMER_GRUP_ID" in str(error)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("auth-consumer:\n  group.id: g\n", "bootstrap.servers"),
        ("auth-consumer:\n  bootstrap.servers: k:1\n", "group.id"),
        ("auth-consumer:\n  bootstrap.servers: [a, b]\n  group.id: g\n", "bootstrap.servers"),
        ("auth-consumer:\n  bootstrap.servers: k:1\n  group.id:\n", "group.id"),
        ("auth-consumer:\n  bootstrap:\n    servers: k:1\n", "bootstrap"),
        ("auth-consumer:\n  7: x\n", "7"),
        (SPECIFIED.partition("  topics")[0] + "  topics: auth.events.user\n", "topics"),
        (SPECIFIED + "    - 7\n", "topics"),
        (SPECIFIED + "  session.timeout.ms: soon\n", "session.timeout.ms"),
        (SPECIFIED + "  enable.auto.offset.store: true\n", "enable.auto.offset.store"),
        ("auth-consumer: 5\n", "auth-consumer"),
        ("other: {}\n", "auth-consumer"),
        ("", "auth-consumer"),
        ("{", "auth-consumer"),
        ("- a\n", "auth-consumer"),
    ],
)
def test_what_is_missing_or_wrong_is_named_with_its_file(tmp_path: Path, text: str, key: str) -> None:
    path = written(tmp_path, text)
    error = refused(path)
    assert error.key == key
    assert str(path) in str(error)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere.yaml" in str(refused(tmp_path / "nowhere.yaml"))
