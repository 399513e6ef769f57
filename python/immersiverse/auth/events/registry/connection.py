"""The connection to a Schema Registry: Confluent's client, whose failures are errors of the tree."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.errors import RegistryRefused
from immersiverse.auth.events.registry.credentials import blanked, without_user_info
from immersiverse.auth.events.registry.failures import registry_failures
from immersiverse.auth.events.registry.limits import deadline, limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEFAULTS: Final = {"timeout": 10, "max.retries": 2, "retries.wait.ms": 200}


class Connection:
    """Confluent's client for one registry: authentication, TLS and retries are its business.

    Args:
        config: the registry's URL, or the client's configuration.
        patience: seconds for everything that is asked at a time, in however many requests.
    """

    def __init__(self, config: str | Mapping[str, Any], patience: float) -> None:
        self._config = {**_DEFAULTS, **({"url": config} if isinstance(config, str) else config)}
        self._patience = patience
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
        """Confluent's client, for calls that fail with errors of the tree, all of them in one deadline.

        Args:
            subject: the subject that is asked, for errors that name it.

        Raises:
            RegistryError: as of ``registry_failures``, and as of ``client``.
        """
        client = self.client
        address = without_user_info(self._config)["url"]
        with registry_failures(subject, address), deadline(self._patience):
            yield client

    def close(self) -> None:
        """Hang up; whoever asks again connects again."""
        with self._connecting:
            client, self._client = self._client, None
        if client is not None:
            client.__exit__()  # its close() is newer than the oldest version allowed

    def _connected(self) -> Any:
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415 - half a second

        config = without_user_info(self._config)
        try:
            client = SchemaRegistryClient(config)
        except (ValueError, TypeError, OSError) as error:
            reason = blanked(str(error), self._config)
            # Without its cause, whose text may hold what was blanked.
            raise RegistryRefused(
                f"this configuration of the schema registry is wrong: {reason}", 0
            ) from None
        limit(client)
        return client
