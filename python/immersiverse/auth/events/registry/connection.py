"""The connection to a Schema Registry: Confluent's client, whose failures are errors of the tree."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from immersiverse.auth.events.errors import RegistryRefused
from immersiverse.auth.events.registry.failures import registry_failures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEFAULTS: Final = {"timeout": 10, "max.retries": 2, "retries.wait.ms": 200}


class Connection:
    """Confluent's client for one registry: authentication, TLS and retries are its business.

    Args:
        config: the registry's URL, or the client's configuration.
    """

    def __init__(self, config: str | Mapping[str, Any]) -> None:
        self._config = {**_DEFAULTS, **({"url": config} if isinstance(config, str) else config)}
        self._connecting = Lock()
        self._client: Any = None

    @property
    def client(self) -> Any:
        """Confluent's client; it and its HTTP stack are loaded here, on first use.

        Raises:
            RegistryRefused: if it does not take the configuration.
        """
        with self._connecting:
            if self._client is None:
                self._client = self._connected()
            return self._client

    @contextmanager
    def asking(self, subject: str = "") -> Iterator[Any]:
        """Confluent's client, for calls that fail with errors of the tree.

        Args:
            subject: the subject that is asked, for errors that name it.

        Raises:
            RegistryError: as of ``registry_failures``, and as of ``client``.
        """
        client = self.client
        with registry_failures(subject, _address(self._config.get("url"))):
            yield client

    def close(self) -> None:
        """Hang up; whoever asks again connects again."""
        with self._connecting:
            client, self._client = self._client, None
        if client is not None:
            client.__exit__()  # its close() is newer than the oldest version allowed

    def _connected(self) -> Any:
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415 - half a second

        try:
            return SchemaRegistryClient(self._config)
        except (ValueError, TypeError, OSError) as error:
            raise RegistryRefused(
                f"this configuration of the schema registry is wrong: {error}", 0
            ) from error


def _address(urls: object) -> str:
    """Where to look, without the name and the password that a URL may hold."""
    parts = (urlsplit(url.strip()) for url in str(urls or "").split(","))
    places = ((part.scheme, part.netloc.rpartition("@")[2], part.path) for part in parts if part.netloc)
    return ", ".join(f"{scheme}://{place}{path}" for scheme, place, path in places)
