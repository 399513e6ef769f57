"""What a registry's refusals and a network's failures are in this package's error tree."""

from __future__ import annotations

from contextlib import contextmanager
from json import JSONDecodeError
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import (
    AuthEventsError,
    IncompatibleSchema,
    RegistryRefused,
    RegistryUnavailable,
    SchemaNotRegistered,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_FOUND = 404
_CONFLICT = 409
_TRY_AGAIN = (408, 425, 429)
_SERVER_ERROR = 500
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
    if not isinstance(error, SchemaRegistryError):
        place = f" ({address})" if address else ""
        return RegistryUnavailable(
            f"the schema registry cannot be reached: {type(error).__name__}: {error}{place}"
        )
    status, message = error.http_status_code, str(error.error_message)
    if status >= _SERVER_ERROR or status in _TRY_AGAIN:
        return RegistryUnavailable(f"the schema registry failed: {message} (HTTP {status})")
    code = error.error_code or -1
    if status == NOT_FOUND and subject:
        known = code // 100 == NOT_FOUND  # without a code of Confluent's, no registry says that
        return SchemaNotRegistered(subject) if known else RegistryRefused(_ELSE, status, code)
    if status == _CONFLICT and subject:
        return IncompatibleSchema(subject, message)
    return RegistryRefused(message, status, code)
