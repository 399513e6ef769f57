"""How long and how large a registry's responses may be.

Confluent's client limits each wait for some bytes, but neither a response nor the responses that one schema
takes. Its HTTP session has event hooks (httpx's documented interface), which see every request and every
response before its body is read.
"""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.errors import RegistryRefused, RegistryUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RESPONSE: Final = 8 * 1024 * 1024
"""Bytes of one response; the contract's own schema takes 20,000."""

_TRANSIENT = (408, 425, 429)
_SERVER_ERROR = 500

_deadline: ContextVar[tuple[float, float] | None] = ContextVar("registry_deadline", default=None)
_log = logging.getLogger(__name__)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Give all requests within it so many seconds in total; a nested deadline changes nothing."""
    if _deadline.get() is not None:
        yield
        return
    token = _deadline.set((time.monotonic() + seconds, seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def timed_out(seconds: float) -> RegistryUnavailable:
    """The error of a deadline that has passed."""
    return RegistryUnavailable(f"the schema registry did not answer within {seconds:g} s")


def is_transient(status: int) -> bool:
    """Whether the same request may succeed later, by the HTTP status of its response."""
    return status >= _SERVER_ERROR or status in _TRANSIENT


def limit_responses(client: Any) -> None:
    """Limit the responses that Confluent's client reads, in size and by the deadline.

    A version of that client without the session that is expected works without these limits, and the log says
    so.
    """
    session: Any = getattr(getattr(client, "_rest_client", None), "session", None)
    if session is None or not hasattr(session, "event_hooks"):
        _log.warning("the schema registry's responses have no size limit: unknown version of confluent-kafka")
        return
    limited = _limited_stream(session)

    def before(request: Any) -> None:
        _check_deadline()
        request.headers["Accept-Encoding"] = "identity"  # a few compressed bytes can expand to gigabytes

    def after(response: Any) -> None:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise _too_large(response.status_code, "is compressed, which was not requested")
        response.stream = limited(response.stream, response.status_code)

    session.event_hooks = {"request": [before], "response": [after]}


def _limited_stream(session: Any) -> type[Any]:
    """The class of streams that raise an error at the limits."""
    http = sys.modules[type(session).__module__.partition(".")[0]]  # httpx2; httpx in older versions

    class LimitedStream(http.SyncByteStream):  # type: ignore[name-defined,misc]  # which module is known only now
        def __init__(self, stream: Any, status: int) -> None:
            self._stream = stream
            self._status = status

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self._stream:
                _check_deadline()
                size += len(chunk)
                if size > MAX_RESPONSE:
                    raise _too_large(self._status, f"is larger than {MAX_RESPONSE} bytes")
                yield chunk

        def close(self) -> None:
            self._stream.close()

    return LimitedStream


def _check_deadline() -> None:
    until = _deadline.get()
    if until is not None and time.monotonic() > until[0]:
        raise timed_out(until[1])


def _too_large(status: int, reason: str) -> RegistryRefused | RegistryUnavailable:
    message = f"the schema registry's response {reason}"
    return RegistryUnavailable(message) if is_transient(status) else RegistryRefused(message, status)
