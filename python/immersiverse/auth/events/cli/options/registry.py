"""The options for a Schema Registry, and the connection to it."""

from __future__ import annotations

import re
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typer import Option

from immersiverse.auth.events.cli.output import WRONG_USE, CommandFailed, failure_of
from immersiverse.auth.events.errors import RegistryError, RegistryRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from immersiverse.auth.events.registry import SchemaRegistry

REGISTRY_VARIABLE = "AUTH_EVENTS_REGISTRY"

REGISTRY_CONFIG: list[str] | None = Option(
    None,
    "--registry-config",
    metavar="KEY=VALUE",
    help="A setting of Confluent's registry client, such as basic.auth.user.info=NAME:PASSWORD.",
)

# The settings that Confluent's client takes as numbers; all others are text.
_NUMBERS = {
    *("timeout", "max.retries", "retries.wait.ms", "retries.max.wait.ms"),
    *("cache.capacity", "cache.latest.ttl.sec"),
}
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_UNPRINTED = "***"


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """Which Schema Registry, and how to connect to it."""

    registry: str | None = Option(
        None, "--registry", metavar="URL", envvar=REGISTRY_VARIABLE, help="The Schema Registry."
    )
    registry_config: list[str] | None = REGISTRY_CONFIG

    def __bool__(self) -> bool:
        return bool(self.registry or self.registry_config)

    def connected(self) -> AbstractContextManager[SchemaRegistry]:
        """The registry; see `connected`."""
        return connected(self.registry, self.registry_config)

    def writer_schemas(self) -> AbstractContextManager[SchemaRegistry | None]:
        """The registry for a reader; None if these options are not given."""
        return self.connected() if self else nullcontext()


@contextmanager
def connected(url: str | None, settings: Sequence[str] | None) -> Iterator[SchemaRegistry]:
    """A registry.

    Raises:
        CommandFailed: the URL is missing, or a request fails. The error holds no password.
    """
    from immersiverse.auth.events.registry import SchemaRegistry

    config = _config(url, settings or ())
    try:
        with SchemaRegistry(config) as registry:
            yield registry
    except RegistryError as error:
        failure = failure_of(error)
        misconfigured = isinstance(error, RegistryRefused) and not error.status
        exit_code = WRONG_USE if misconfigured else failure.exit_code
        raise CommandFailed(_without_secrets(failure.line, config), exit_code) from error


def _config(url: str | None, settings: Sequence[str]) -> dict[str, Any]:
    if not url:
        hint = f"pass --registry URL, or set {REGISTRY_VARIABLE}"
        raise CommandFailed(f"no Schema Registry given: {hint}", WRONG_USE)
    if not url.startswith(("http://", "https://")):
        raise CommandFailed("--registry must begin with http:// or https://", WRONG_USE)
    return {"url": url, **dict(_setting(text) for text in settings)}


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise CommandFailed("--registry-config must be KEY=VALUE", WRONG_USE)
    if key not in _NUMBERS:
        return key, value
    try:
        return key, float(value) if "." in value else int(value)
    except ValueError as error:
        raise CommandFailed(f"--registry-config {key} must be a number", WRONG_USE) from error


def _without_secrets(line: str, config: Mapping[str, Any]) -> str:
    """The line without user info in URLs, and without values of settings: any of them may be secret."""
    secrets = [value for key, value in config.items() if key != "url" and isinstance(value, str) and value]
    for secret in sorted(secrets, key=len, reverse=True):
        line = line.replace(secret, _UNPRINTED)
    return without_user_info(line)


def without_user_info(text: str) -> str:
    """The text with the user name and password of every URL replaced by ``***``."""
    return _USER_INFO.sub(_UNPRINTED, text)
