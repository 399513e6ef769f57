"""The options for a Kafka cluster, and the librdkafka settings that they result in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from immersiverse.auth.events.cli.output import WRONG_USE, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from immersiverse.auth.events.admin.cluster import Cluster

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
        "--config",
        "-c",
        metavar="KEY=VALUE",
        help="A librdkafka setting; may be repeated. Overrides the file.",
    ),
]
KafkaFile = Annotated[
    Path | None,
    typer.Option(
        "--config-file",
        metavar="FILE",
        help="librdkafka settings as KEY=VALUE lines or YAML. Put passwords here.",
    ),
]


def connected_cluster(servers: str | None, settings: Sequence[str] | None, file: Path | None) -> Cluster:
    """The cluster of these options.

    Raises:
        CommandFailed: the cluster is missing, or a setting is malformed.
        ConfigurationError: a setting is invalid.
    """
    from immersiverse.auth.events.admin.cluster import Cluster

    return Cluster(kafka_settings(servers, settings, file))


def kafka_settings(servers: str | None, settings: Sequence[str] | None, file: Path | None) -> dict[str, Any]:
    """The librdkafka settings of these options: a file's, over them single ones, over them the servers.

    Raises:
        CommandFailed: the servers are missing, or a setting is malformed. The error quotes no value.
        ConfigurationError: the file is YAML and cannot be used.
    """
    config = {**(_from_file(file) if file else {}), **_from_lines(settings or (), "--config")}
    if servers:
        config[_SERVERS] = servers
    if not config.get(_SERVERS):
        raise CommandFailed(
            f"no Kafka cluster given: pass --bootstrap-servers HOST:PORT, or set {BOOTSTRAP_VARIABLE}",
            WRONG_USE,
        )
    return config if "debug" in config else {"log_level": 2, "log.connection.close": False, **config}


def _from_file(file: Path) -> dict[str, Any]:
    if file.suffix in (".yaml", ".yml"):
        from immersiverse.auth.events.kafka.consumer_yaml import read_settings

        return read_settings(file)
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandFailed(f"cannot read {file}: {reason}", WRONG_USE) from error
    lines = (line.strip() for line in text.splitlines())
    return _from_lines((line for line in lines if line and line[0] not in "#!"), str(file))


def _from_lines(lines: Iterable[str], where: str) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for number, line in enumerate(lines, 1):
        key, equals, value = line.partition("=")
        if not (key.strip() and equals):
            raise CommandFailed(f"{where}: setting {number} is not KEY=VALUE", WRONG_USE)
        config[key.strip()] = value.strip()
    return config
