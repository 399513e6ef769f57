"""What a registry's refusals and a network's failures are in this package's error tree."""

from __future__ import annotations

from contextlib import contextmanager
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.errors import (
    AuthEventsError,
    IncompatibleSchema,
    RegistryRefused,
    RegistryUnavailable,
    SchemaNotRegistered,
)
from immersiverse.auth.events.registry.limits import is_transient

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_FOUND = 404
_CONFLICT = 409
_SUCCESS, _BAD_REQUEST, _SERVER_ERROR = 200, 400, 500
_CREDENTIALS = (401, 407)
_LONGEST = 1_000  # characters of an answer, which may be a whole web page
_ELSE = "what answers at this URL is no schema registry (its path may be missing, such as /apis/ccompat/v7)"


@contextmanager
def registry_failures(subject: str = "", address: str = "") -> Iterator[None]:
    """Turn everything that Confluent's client raises into errors of the tree.

    Args:
        subject: the subject that is asked, for errors that name it.
        address: where the registry is, without what is secret, for those who look there first.

    Raises:
        RegistryUnavailable: if there was no answer, or a server error.
        SchemaNotRegistered: if the subject, or the schema under it, does not exist.
        IncompatibleSchema: if the subject's level forbids the schema.
        RegistryRefused: if the registry answered no in any other way.
    """
    try:
        yield
    except AuthEventsError:
        raise
    except Exception as error:
        # The client's transport is httpx or httpx2, by its version, with authlib for OAuth, and their errors
        # have no common root: whatever kept an answer away ends here.
        raise _translated(error, subject, address) from error


def _translated(error: Exception, subject: str, address: str) -> AuthEventsError:
    from confluent_kafka.schema_registry.error import SchemaRegistryError  # noqa: PLC0415 - its HTTP stack

    if isinstance(error, JSONDecodeError):  # a page of its own, or what a gateway says while it is away
        return RegistryUnavailable(f"{_ELSE}: it answers no JSON")
    if _is_misshapen(error):
        return RegistryRefused(
            f"the schema registry's answer has another shape than its API describes: {error!r}", _SUCCESS
        )
    if not isinstance(error, SchemaRegistryError):
        place = f" ({address})" if address else ""
        return RegistryUnavailable(
            f"the schema registry cannot be reached: {type(error).__name__}: {error}{place}"
        )
    return _refusal(error, subject)


def _refusal(error: Any, subject: str) -> AuthEventsError:
    """What a registry's answer with a status is; `error` is Confluent's."""
    status, message = error.http_status_code, str(error.error_message)
    if status == _CONFLICT and subject:
        return IncompatibleSchema(subject, message)
    message = message if len(message) <= _LONGEST else f"{message[:_LONGEST]} ..."
    if is_transient(status):
        return RegistryUnavailable(f"the schema registry failed: {message} (HTTP {status})")
    code = error.error_code if isinstance(error.error_code, int) else -1
    refused = RegistryRefused(message, status, code)
    if status != NOT_FOUND:
        return refused
    if not says_unknown(refused):
        return RegistryRefused(_ELSE, status, code)
    return SchemaNotRegistered(subject) if subject else refused


def says_unknown(error: RegistryRefused) -> bool:
    """Whether a registry says that it does not hold what was asked for.

    A gateway in front of it says 404 too, to everything, but without a code of Confluent's (40401 ... 40499).
    """
    return error.status == NOT_FOUND and error.error_code // 100 == NOT_FOUND


def may_concern_one_schema(error: RegistryRefused) -> bool:
    """Whether a refusal may be of one schema only: forbidden, unprocessable, or an answer of a wrong shape.

    Credentials that are not accepted (401, 407) concern all of them.
    """
    refused = _BAD_REQUEST <= error.status < _SERVER_ERROR and error.status not in _CREDENTIALS
    return refused or error.status == _SUCCESS


def _is_misshapen(error: Exception) -> bool:
    """Whether Confluent's client stumbled over an answer; what its transport raises is none of these."""
    if isinstance(error, OSError):  # a certificate's error is a ValueError, too
        return False
    return isinstance(error, AttributeError | LookupError | TypeError | ValueError)
