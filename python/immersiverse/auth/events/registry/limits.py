"""How long and how large a registry's answers may be.

Confluent's client limits each wait for some bytes, but neither an answer nor the answers that one schema
takes. Its HTTP session has event hooks (httpx's documented interface), which see every request and every
answer before its body is read.
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

LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes of one answer; the contract's own schema takes 20,000."""

_TRANSIENT = (408, 425, 429)
_SERVER_ERROR = 500

_deadline: ContextVar[tuple[float, float] | None] = ContextVar("registry_deadline", default=None)
_log = logging.getLogger(__name__)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Give everything that is asked within it so many seconds in all; one within another changes nothing."""
    if _deadline.get() is not None:
        yield
        return
    token = _deadline.set((time.monotonic() + seconds, seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def too_late(seconds: float) -> RegistryUnavailable:
    """What ends a wait for a registry."""
    return RegistryUnavailable(f"the schema registry did not answer within {seconds:g} s")


def limit(client: Any) -> None:
    """Limit the answers that Confluent's client reads, in size and by the deadline.

    A version of that client without the session that is looked for works on without these limits, and the log
    says so.
    """
    session: Any = getattr(getattr(client, "_rest_client", None), "session", None)
    if session is None or not hasattr(session, "event_hooks"):
        _log.warning(
            "the registry's answers have no size limit: this version of confluent-kafka is not known"
        )
        return
    limited = _limited_stream(session)

    def before(request: Any) -> None:
        _require_time()
        request.headers["Accept-Encoding"] = "identity"  # a few packed bytes can be gigabytes unpacked

    def after(answer: Any) -> None:
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise _too_large(answer.status_code, "is compressed, which was not asked for")
        answer.stream = limited(answer.stream, answer.status_code)

    session.event_hooks = {"request": [before], "response": [after]}


def is_transient(status: int) -> bool:
    """Whether a status says that the same request may succeed later."""
    return status >= _SERVER_ERROR or status in _TRANSIENT


def _limited_stream(session: Any) -> type[Any]:
    """The class of streams that end with an error at the limits."""
    http = sys.modules[type(session).__module__.partition(".")[0]]  # httpx2; httpx in older versions

    class LimitedStream(http.SyncByteStream):  # type: ignore[name-defined,misc]  # which module is known only now
        def __init__(self, stream: Any, status: int) -> None:
            self._stream = stream
            self._status = status

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self._stream:
                _require_time()
                size += len(chunk)
                if size > LARGEST_ANSWER:
                    raise _too_large(self._status, f"is larger than {LARGEST_ANSWER} bytes")
                yield chunk

        def close(self) -> None:
            self._stream.close()

    return LimitedStream


def _require_time() -> None:
    until = _deadline.get()
    if until is not None and time.monotonic() > until[0]:
        raise too_late(until[1])


def _too_large(status: int, reason: str) -> RegistryRefused | RegistryUnavailable:
    message = f"the schema registry's answer {reason}"
    return RegistryUnavailable(message) if is_transient(status) else RegistryRefused(message, status)
