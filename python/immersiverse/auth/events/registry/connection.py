"""The connection to a Schema Registry: Confluent's client, its credentials, and its errors as ours.

Authentication, TLS and retries are that client's business. Names and passwords are kept out of URLs, which
HTTP clients log, and out of errors. A lock guards the client, which connects on first use.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import JSONDecodeError
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from immersiverse.auth.events.errors import (
    AuthEventsError,
    ConfigurationError,
    IncompatibleSchema,
    RegistryRefused,
    RegistryUnavailable,
    SchemaNotRegistered,
)
from immersiverse.auth.events.printable import capped, printable
from immersiverse.auth.events.registry.limits import http_sessions, limit_responses, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry import SchemaRegistryClient

T = TypeVar("T")

_DEFAULTS: Final = {"timeout": 10, "max.retries": 2, "retries.wait.ms": 200}
_USER_INFO: Final = "basic.auth.user.info"
_OK, _BAD_REQUEST, _NOT_FOUND, _CONFLICT, _SERVER_ERROR = 200, 400, 404, 409, 500
_TRANSIENT = (408, 425, 429)
_CREDENTIALS_REFUSED = (401, 403, 407)
_NOT_A_REGISTRY = (
    "the server at this URL is not a schema registry (is a path missing, such as /apis/ccompat/v7?)"
)


class RegistryConnection:
    """Confluent's client for one registry.

    Args:
        config: the registry's URL, or the client's configuration.
        patience: seconds for what a caller asks for, in however many HTTP requests.

    Raises:
        ConfigurationError: one of them is of another kind.
    """

    def __init__(self, config: str | Mapping[str, Any], patience: float) -> None:
        given = {"url": config} if isinstance(config, str) else config
        if not isinstance(given, Mapping):
            raise ConfigurationError("config", "is a registry's URL, or settings of Confluent's client")
        if not patience > 0:
            raise ConfigurationError("patience", f"must be more than 0, not {patience}")
        self._config = {**_DEFAULTS, **given}
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

    def ask(self, call: Callable[[Any], T], subject: str = "") -> T:
        """What a call of Confluent's client returns.

        Args:
            call: gets the client. Within another call, it has that one's deadline.
            subject: the subject that is asked for, for errors that name it.

        Raises:
            RegistryUnavailable: there was no response in time, or one that is not a registry's.
            SchemaNotRegistered: the subject, or the schema under it, does not exist.
            IncompatibleSchema: the subject's compatibility level forbids the schema.
            RegistryRefused: the registry refused in any other way, or the configuration is invalid.
        """
        client = self.client
        try:
            return within(self._patience, lambda: call(client))
        except RegistryUnavailable:
            client.clear_caches()  # type: ignore[no-untyped-call]  # they may hold a malformed response
            raise
        except AuthEventsError:
            raise
        except Exception as error:
            # The client's transport is httpx or httpx2, by its version, with authlib for OAuth, and their
            # errors have no common root: whatever prevented a response ends here.
            raise _error_from(error, subject, without_user_info(self._config)["url"]) from error

    def close(self) -> None:
        """Close the client; the next request connects again."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            # Its close() is newer than the oldest version allowed.
            client.__exit__()  # type: ignore[no-untyped-call]
            for session in http_sessions(client):
                session.close()  # it leaves that of OAuth's tokens open

    def _connect(self) -> SchemaRegistryClient:
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415 - half a second

        config = without_user_info(self._config)
        try:
            client = SchemaRegistryClient.new_client(config)  # of which mock:// is one in memory
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
    if part.scheme not in ("http", "https", "mock") or not part.hostname or unescaped:
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
        return malformed(repr(error))
    return RegistryUnavailable(
        f"the schema registry cannot be reached: {type(error).__name__}: {error} ({url})"
    )


def malformed(reason: str) -> RegistryUnavailable:
    """The error for a response of success that is not of the shape that the API describes: a gateway's?"""
    return RegistryUnavailable(capped(f"the schema registry's response is malformed: {printable(reason)}"))


def _refusal(error: Any, subject: str) -> AuthEventsError:
    """The error for Confluent's error, which carries a status and whatever code the response had."""
    status, message = error.http_status_code, capped(printable(str(error.error_message)))
    if _is_transient(status):
        return RegistryUnavailable(f"the schema registry failed: {message} (HTTP {status})")
    code = error.error_code
    # A gateway answers what it likes, to everything; the codes of registries begin with the status.
    if not isinstance(code, int) or status not in (code, code // 100) or code == _NOT_FOUND:
        if status in _CREDENTIALS_REFUSED:
            return RegistryRefused(f"a server before the schema registry refuses: {message}", status)
        moved = " (a redirect, which is not followed)" if status < _BAD_REQUEST else ""
        return RegistryUnavailable(f"{_NOT_A_REGISTRY}: it answers HTTP {status}{moved}: {message}")
    if status == _CONFLICT and subject:
        return IncompatibleSchema(subject, message)
    refused = RegistryRefused(message, status, code)
    return SchemaNotRegistered(subject) if subject and is_not_found(refused) else refused


def _is_transient(status: int) -> bool:
    return status >= _SERVER_ERROR or status in _TRANSIENT


def concerns_one_schema(error: RegistryRefused) -> bool:
    """Whether a refusal may be of one schema only: in the registry's own words, or of too long a response.

    Refused credentials (401) concern all of them.
    """
    return error.status == _OK or (error.error_code > 0 and error.status not in (401, 407))


def is_not_found(error: RegistryRefused) -> bool:
    """Whether a registry answers that it does not hold what was asked for (40401 ... 40499)."""
    return error.error_code // 100 == _NOT_FOUND
