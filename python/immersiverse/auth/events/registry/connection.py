"""The connection to a Schema Registry: Confluent's client, its credentials, and its errors as ours.

Authentication, TLS and retries are that client's business. Names and passwords are kept out of URLs, which
HTTP clients log, and out of errors. A lock guards the client, which connects on first use.
"""

from __future__ import annotations

from contextlib import contextmanager
from json import JSONDecodeError
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from immersiverse.auth.events.errors import (
    AuthEventsError,
    IncompatibleSchema,
    RegistryRefused,
    RegistryUnavailable,
    SchemaNotRegistered,
)
from immersiverse.auth.events.registry.limits import deadline, is_transient, limit_responses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka.schema_registry import SchemaRegistryClient

_DEFAULTS: Final = {"timeout": 10, "max.retries": 2, "retries.wait.ms": 200}
_USER_INFO: Final = "basic.auth.user.info"
_OK, _BAD_REQUEST, _NOT_FOUND, _CONFLICT, _SERVER_ERROR = 200, 400, 404, 409, 500
_CREDENTIALS_REFUSED = (401, 407)
_MAX_MESSAGE = 1_000  # characters of a response, which may be a whole web page
_NOT_A_REGISTRY = (
    "the server at this URL is not a schema registry (is a path missing, such as /apis/ccompat/v7?)"
)


class RegistryConnection:
    """Confluent's client for one registry.

    Args:
        config: the registry's URL, or the client's configuration.
        patience: seconds for one request of a caller, in however many HTTP requests.
    """

    def __init__(self, config: str | Mapping[str, Any], patience: float) -> None:
        self._config = {**_DEFAULTS, **({"url": config} if isinstance(config, str) else config)}
        self._patience = patience
        self._lock = Lock()
        self._client: SchemaRegistryClient | None = None

    @property
    def client(self) -> SchemaRegistryClient:
        """Confluent's client; it and its HTTP stack are loaded here, on first use.

        Raises:
            RegistryRefused: the configuration is invalid.
        """
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    @contextmanager
    def request(self, subject: str = "") -> Iterator[Any]:
        """Confluent's client, for calls that raise errors of the tree and share one deadline.

        Args:
            subject: the subject that is asked for, for errors that name it.

        Raises:
            RegistryError: as of `registry_errors` and `client`.
        """
        client = self.client
        url = without_user_info(self._config)["url"]
        with registry_errors(subject, url), deadline(self._patience):
            yield client

    def close(self) -> None:
        """Close the client; the next request connects again."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            # Its close() is newer than the oldest version allowed.
            client.__exit__()  # type: ignore[no-untyped-call]

    def _connect(self) -> SchemaRegistryClient:
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415 - half a second

        config = without_user_info(self._config)
        try:
            client = SchemaRegistryClient(config)
        except (ValueError, TypeError, OSError) as error:
            # Without its cause, whose text may hold what is redacted.
            raise _invalid_config(_redacted(str(error), self._config)) from None
        limit_responses(client)
        return client


def without_user_info(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of Confluent's client with its URLs' name and password in a setting of their own.

    As in that client, those of the first URL are used for all of several (separated by commas).

    Raises:
        RegistryRefused: a URL is invalid, or names and passwords contradict each other; the message shows
            none of them.
    """
    urls = config.get("url")
    if not isinstance(urls, str):
        raise _invalid_config("url is missing")
    parts = [_split(url.strip()) for url in urls.split(",")]
    found = [_user_info(part) for part in parts]
    bare = ",".join(part._replace(netloc=part.netloc.rpartition("@")[2]).geturl() for part in parts)
    if not any(found):
        return {**config, "url": bare}
    if _USER_INFO in config:
        raise _invalid_config(f"name and password are in the URL and in {_USER_INFO}; keep {_USER_INFO} only")
    if len({*found} - {""}) > 1 or not found[0]:
        raise _invalid_config(f"the URLs have different names or passwords; set {_USER_INFO} for all of them")
    return {**config, "url": bare, _USER_INFO: found[0]}


def _split(url: str) -> SplitResult:
    """The parts of a URL; one with an "@" after its host holds a password that was not escaped."""
    try:
        part = urlsplit(url)
        _ = part.port  # validated on access
    except ValueError:
        part = SplitResult("", "", "", "", "")
    unescaped = "@" in part.path + part.query + part.fragment
    if part.scheme not in ("http", "https") or not part.hostname or unescaped:
        # Quotes no part of it: what precedes an "@", or follows a ":", may be a password.
        raise _invalid_config(
            "the URL is not of the form http://HOST:PORT or https://HOST:PORT "
            f"(set name and password as {_USER_INFO}, or percent-encode them)"
        )
    return part


def _user_info(part: SplitResult) -> str:
    return f"{unquote(part.username or '')}:{unquote(part.password or '')}" if "@" in part.netloc else ""


def _redacted(text: str, config: Mapping[str, Any]) -> str:
    """The text without any value of the configuration: which of them are secret is not known here."""
    values = {value for value in config.values() if isinstance(value, str) and value}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "***")
    return text


def _invalid_config(reason: str) -> RegistryRefused:
    return RegistryRefused(f"invalid configuration of the schema registry: {reason}", 0)


@contextmanager
def registry_errors(subject: str = "", url: str = "") -> Iterator[None]:
    """Turn everything that Confluent's client raises into errors of the tree.

    Args:
        subject: the subject that is asked for, for errors that name it.
        url: the registry's, without credentials, for errors that name it.

    Raises:
        RegistryUnavailable: there was no response, or a server error.
        SchemaNotRegistered: the subject, or the schema under it, does not exist.
        IncompatibleSchema: the subject's compatibility level forbids the schema.
        RegistryRefused: the registry refused in any other way.
    """
    try:
        yield
    except AuthEventsError:
        raise
    except Exception as error:
        # The client's transport is httpx or httpx2, by its version, with authlib for OAuth, and their errors
        # have no common root: whatever prevented a response ends here.
        raise _error_from(error, subject, url) from error


def _error_from(error: Exception, subject: str, url: str) -> AuthEventsError:
    from confluent_kafka.schema_registry.error import SchemaRegistryError  # noqa: PLC0415 - its HTTP stack

    if isinstance(error, SchemaRegistryError):
        return _refusal(error, subject)
    if isinstance(error, JSONDecodeError):  # a web page, or a gateway's while the registry is down
        return RegistryUnavailable(f"{_NOT_A_REGISTRY}: its response is not JSON")
    # Confluent's client failed on a malformed response; its transport raises none of these, save that the
    # error of a certificate is an OSError and a ValueError.
    if isinstance(error, AttributeError | LookupError | TypeError | ValueError) and not isinstance(
        error, OSError
    ):
        return RegistryRefused(f"the schema registry's response is malformed: {error!r}", _OK)
    at = f" ({url})" if url else ""
    return RegistryUnavailable(f"the schema registry cannot be reached: {type(error).__name__}: {error}{at}")


def _refusal(error: Any, subject: str) -> AuthEventsError:
    """The error for Confluent's error, which carries a status and whatever code the response had."""
    status, message = error.http_status_code, str(error.error_message)
    if status == _CONFLICT and subject:
        return IncompatibleSchema(subject, message)
    message = message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]} ..."
    if is_transient(status):
        return RegistryUnavailable(f"the schema registry failed: {message} (HTTP {status})")
    code = error.error_code if isinstance(error.error_code, int) else -1
    refused = RegistryRefused(message, status, code)
    if status != _NOT_FOUND:
        return refused
    if not is_not_found(refused):
        return RegistryRefused(_NOT_A_REGISTRY, status, code)
    return SchemaNotRegistered(subject) if subject else refused


def is_not_found(error: RegistryRefused) -> bool:
    """Whether a registry answers that it does not hold what was asked for.

    A gateway in front of it responds 404, too, to everything, but without a code of Confluent's (40401 ...
    40499).
    """
    return error.status == _NOT_FOUND and error.error_code // 100 == _NOT_FOUND


def may_concern_one_schema(error: RegistryRefused) -> bool:
    """Whether a refusal may be of one schema only: forbidden, unprocessable, or a malformed response.

    Refused credentials (401, 407) concern all of them.
    """
    refused = _BAD_REQUEST <= error.status < _SERVER_ERROR and error.status not in _CREDENTIALS_REFUSED
    return refused or error.status == _OK
