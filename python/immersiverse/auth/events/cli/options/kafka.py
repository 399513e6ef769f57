"""The options for a Kafka cluster, and the librdkafka settings that they result in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Any

from typer import Option

from immersiverse.auth.events.cli.output import WRONG_USE, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from immersiverse.auth.events.admin.cluster import Cluster

BOOTSTRAP_VARIABLE = "AUTH_EVENTS_BOOTSTRAP_SERVERS"
_SERVERS = "bootstrap.servers"
_QUIET = {"log_level": 2, "log.connection.close": False}


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """Which Kafka cluster, and how to connect to it."""

    bootstrap_servers: str | None = Option(
        None,
        "--bootstrap-servers",
        "-b",
        metavar="HOST:PORT,...",
        envvar=BOOTSTRAP_VARIABLE,
        help="The Kafka cluster.",
    )
    config: list[str] | None = Option(
        None,
        "--config",
        "-c",
        metavar="KEY=VALUE",
        help="A librdkafka setting; may be repeated. Overrides the file.",
    )
    config_file: Path | None = Option(
        None,
        "--config-file",
        metavar="FILE",
        help="librdkafka settings as KEY=VALUE lines or YAML. Put passwords here.",
    )

    def cluster(self) -> Cluster:
        """The cluster; see `settings`."""
        from immersiverse.auth.events.admin.cluster import Cluster

        return Cluster(self.settings())

    def settings(self) -> dict[str, Any]:
        """The librdkafka settings: the file's, over them single ones, over them the servers.

        Raises:
            CommandFailed: the servers are missing, or a setting is malformed. The error quotes no value.
            ConfigurationError: the file is YAML and cannot be used.
        """
        in_file = _from_file(self.config_file) if self.config_file else {}
        config = {**in_file, **_from_lines(self.config or (), "--config")}
        if self.bootstrap_servers:
            config[_SERVERS] = self.bootstrap_servers
        if not config.get(_SERVERS):
            hint = f"pass --bootstrap-servers HOST:PORT, or set {BOOTSTRAP_VARIABLE}"
            raise CommandFailed(f"no Kafka cluster given: {hint}", WRONG_USE)
        return config if "debug" in config else {**_QUIET, **config}


def _from_file(file: Path) -> dict[str, Any]:
    if file.suffix in (".yaml", ".yml"):
        from immersiverse.auth.events.kafka.consumer_yaml import read_settings

        return read_settings(file)
    try:
        text = file.read_text("utf-8-sig")
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
