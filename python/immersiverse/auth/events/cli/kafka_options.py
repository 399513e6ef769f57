"""The options that name a Kafka cluster, and the settings that they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.failures import WRONG_USE, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from immersiverse.auth.events.operations.cluster import Cluster

BOOTSTRAP_VARIABLE = "AUTH_EVENTS_BOOTSTRAP_SERVERS"
_SERVERS = "bootstrap.servers"

BootstrapServers = Annotated[
    str | None,
    typer.Option(
        "--bootstrap-servers",
        "-b",
        metavar="HOST:PORT,...",
        envvar=BOOTSTRAP_VARIABLE,
        help="The Kafka cluster.",
    ),
]
KafkaSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--config", "-c", metavar="KEY=VALUE", help="A setting of librdkafka; repeat it. It beats the file's."
    ),
]
KafkaFile = Annotated[
    Path | None,
    typer.Option(
        "--config-file",
        metavar="FILE",
        help="librdkafka's settings as KEY=VALUE lines or YAML; the place for passwords.",
    ),
]


def connected_cluster(servers: str | None, settings: Sequence[str] | None, file: Path | None) -> Cluster:
    """The cluster that the options name.

    Raises:
        CommandFailed: they name none, or a setting is wrong.
    """
    from immersiverse.auth.events.errors import ConfigurationError
    from immersiverse.auth.events.operations.cluster import Cluster

    config = kafka_settings(servers, settings, file)
    try:
        return Cluster(config)
    except ConfigurationError as error:
        raise CommandFailed(str(error), WRONG_USE) from error


def kafka_settings(servers: str | None, settings: Sequence[str] | None, file: Path | None) -> dict[str, Any]:
    """What librdkafka is told: settings from a file, over them those given one by one, over them the servers.

    Raises:
        CommandFailed: they name no servers, or cannot be understood; without any value, which may be secret.
    """
    config = {**(_from_file(file) if file else {}), **_from_lines(settings or (), "--config")}
    if servers:
        config[_SERVERS] = servers
    if not config.get(_SERVERS):
        raise CommandFailed(
            f"which Kafka? give --bootstrap-servers HOST:PORT, or set {BOOTSTRAP_VARIABLE}", WRONG_USE
        )
    return config if "debug" in config else {"log_level": 2, "log.connection.close": False, **config}


def _from_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise CommandFailed(f"cannot read {file}: {reason}", WRONG_USE) from error
    if file.suffix in (".yaml", ".yml"):
        return dict(_from_yaml(text, str(file)))
    lines = (line.strip() for line in text.splitlines())
    return _from_lines((line for line in lines if line and line[0] not in "#!"), str(file))


def _from_lines(lines: Iterable[str], where: str) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for number, line in enumerate(lines, 1):
        key, equals, value = line.partition("=")
        if not (key.strip() and equals):
            raise CommandFailed(f"{where} takes KEY=VALUE: see its setting {number}", WRONG_USE)
        config[key.strip()] = value.strip()
    return config


def _from_yaml(text: str, where: str) -> Iterator[tuple[str, Any]]:
    """The settings in a mapping, or in the one mapping of a mapping, as in the specification's section 5."""
    import yaml

    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CommandFailed(f"{where} is no YAML", WRONG_USE) from error
    if isinstance(document, dict) and len(document) == 1:
        (only,) = document.values()
        document = only if isinstance(only, dict) else document
    if not isinstance(document, dict):
        raise CommandFailed(f"{where} holds no settings", WRONG_USE)
    yield from _scalars(document, where)


def _scalars(document: Mapping[Any, Any], where: str) -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if key == "topics":
            continue  # a subscriber's, and no setting of librdkafka
        if isinstance(value, dict | list) or value is None:
            raise CommandFailed(f"{where}: {key} is no single value", WRONG_USE)
        yield str(key), value
