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
    assert (config["enable.auto.commit"], config["session.timeout.ms"]) == ("true", "6000")
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
        (SPECIFIED + "  [7]: x\n", "auth-consumer"),
        (SPECIFIED.partition("  topics")[0] + "  topics: auth.events.user\n", "topics"),
        (SPECIFIED + "    - [7]\n", "topics"),
        (SPECIFIED + "  session.timeout.ms: 30s\n", "session.timeout.ms"),
        (SPECIFIED + "  sasl.password: ~\n", "sasl.password"),
        (SPECIFIED + "  enable.auto.commit: maybe\n", "enable.auto.commit"),
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


@pytest.mark.parametrize(
    "written_value", ["0123", "00123", "yes", "no", "1.0", "1_000", "0x10", "2025-06-02", "1e3"]
)
def test_what_is_written_is_what_is_meant(tmp_path: Path, written_value: str) -> None:
    block = SPECIFIED.replace('"auth-consumer-group"', written_value)
    found = read_yaml(written(tmp_path, f"{block}  sasl.password: {written_value}\n"), {})
    assert (found.config["group.id"], found.config["sasl.password"]) == (written_value, written_value)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("enable.auto.commit: yes", "true"),
        ("enable.auto.commit: Off", "false"),
        ("check.crcs: on", "true"),
        ("session.timeout.ms: 45_000", "45000"),
        ("session.timeout.ms: 045000", "45000"),
        ("session.timeout.ms: '6000'", "6000"),
    ],
)
def test_switches_and_numbers_are_what_yaml_makes_of_them(tmp_path: Path, line: str, value: str) -> None:
    path = written(tmp_path, f"{SPECIFIED}  {line}\n")
    assert read_yaml(path, {}).config[line.partition(":")[0]] == value
    Subscriber.from_yaml(path, deserializer=AuthEventDeserializer(), environ={})


@pytest.mark.parametrize(
    "name",
    [
        "AUTH_CONSUMER_SERVICE_HOST",
        "AUTH_CONSUMER_SERVICE_PORT",
        "AUTH_CONSUMER_SERVICE_PORT_HTTP_METRICS",
        "AUTH_CONSUMER_PORT",
        "AUTH_CONSUMER_PORT_8080_TCP",
        "AUTH_CONSUMER_PORT_8080_TCP_ADDR",
        "AUTH_CONSUMER_PORT_53_UDP_PROTO",
        "AUTH_CONSUMER_METRICS_SERVICE_HOST",
        "AUTH_CONSUMER_METRICS_PORT_9090_TCP_PORT",
    ],
)
def test_what_kubernetes_says_of_a_service_is_no_setting(file: Path, name: str) -> None:
    environ = {name: "tcp://10.0.0.1:8080", "AUTH_CONSUMER_GROUP_ID": "mine"}
    assert read_yaml(file, environ).config == {"bootstrap.servers": "kafka:9092", "group.id": "mine"}
    Subscriber.from_yaml(file, deserializer=AuthEventDeserializer(), environ=environ)


def test_a_byte_order_mark_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "consumer.yaml"
    path.write_text(SPECIFIED, encoding="utf-8-sig")
    assert read_yaml(path, {}).config["group.id"] == "auth-consumer-group"


def test_the_block_may_name_the_registry(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        SPECIFIED + "  schema.registry.url: mock://tests\n  schema.registry.max.retries: 1\n"
        "  schema.registry.basic.auth.user.info: name:00123\n",
    )
    found = read_yaml(path, {"AUTH_CONSUMER_SCHEMA_REGISTRY_TIMEOUT": "5"})
    assert found.registry == {
        "url": "mock://tests",
        "max.retries": 1,
        "timeout": 5,
        "basic.auth.user.info": "name:00123",
    }
    assert not any(key.startswith("schema.") for key in found.config)
    Subscriber.from_yaml(path, environ={})
    Subscriber.from_yaml(path, deserializer=AuthEventDeserializer(), environ={})
    wrong = written(tmp_path, SPECIFIED + "  schema.registry.url: nowhere\n")
    with pytest.raises(ConfigurationError, match=r"schema.registry.url: .*http://HOST:PORT.*consumer.yaml"):
        Subscriber.from_yaml(wrong, environ={})


def test_without_a_registry_and_a_deserializer_it_is_said_what_is_missing(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"schema.registry.url: is required.*consumer.yaml"):
        Subscriber.from_yaml(file, environ={})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere.yaml" in str(refused(tmp_path / "nowhere.yaml"))
