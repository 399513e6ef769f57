"""How long a registry may take, and how large its responses may be.

Confluent's client limits each wait for some bytes, but neither a response nor the responses that one schema
takes, nor the token that OAuth asks for first. So a request runs in a daemon thread, which its caller leaves
at the deadline; and HTTP sessions have event hooks (httpx's documented interface), which see every request,
and every response before its body is read.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import Future
from contextvars import ContextVar
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, TypeVar

from immersiverse.auth.events.errors import RegistryRefused, RegistryUnavailable
from immersiverse.auth.events.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

MAX_RESPONSE: Final = 8 * 1024 * 1024
"""Bytes of one response; the contract's own schema takes 20,000."""

_deadline: ContextVar[tuple[float, float] | None] = ContextVar("registry_deadline", default=None)
_log = get_logger(__name__)


def within(seconds: float, call: Callable[[], T]) -> T:
    """What `call` returns, with all its requests, in so many seconds; a nested limit changes nothing.

    Raises:
        RegistryUnavailable: it took longer. Its thread ends at the next bytes that arrive.
        Exception: what `call` raises.
    """
    if _deadline.get() is not None:
        return call()
    return result(begin(seconds, call), seconds, seconds)


def begin(seconds: float, call: Callable[[], T]) -> Future[T]:
    """Begin a call in a daemon thread, with a deadline for all its requests."""
    done: Future[T] = Future()

    def run() -> None:
        _deadline.set((time.monotonic() + seconds, seconds))
        try:
            done.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised in the threads that wait
            done.set_exception(error)

    Thread(target=run, name="auth-events-registry", daemon=True).start()
    return done


def result(done: Future[T], wait: float, allowed: float) -> T:
    """What a call returned, if that is known in time; else RegistryUnavailable names the seconds allowed."""
    try:
        error = done.exception(max(wait, 0))
    except TimeoutError:
        raise _timed_out(allowed) from None
    if error is not None:
        raise error.with_traceback(None)  # which would grow each time that it is raised
    return done.result()


def limit_responses(client: Any) -> None:
    """Limit the responses that Confluent's client reads, in size and by the deadline.

    A version of that client without the sessions that are expected works without these limits, and the log
    says so.
    """
    found = http_sessions(client)
    if not found:
        _log.warning("the schema registry's responses have no size limit: unknown version of confluent-kafka")
    for session in found:
        _limit(session)


def http_sessions(client: Any) -> list[Any]:
    """The HTTP sessions of Confluent's client: the registry's, and that of the server that gives tokens."""
    rest = getattr(client, "_rest_client", None)
    tokens = getattr(getattr(rest, "bearer_field_provider", None), "client", None)
    return [one for one in (getattr(rest, "session", None), tokens) if hasattr(one, "event_hooks")]


def _limit(session: Any) -> None:
    limited = _limited_stream(session)

    def before(request: Any) -> None:
        _check_deadline()
        request.headers["Accept-Encoding"] = "identity"  # a few compressed bytes can expand to gigabytes

    def after(response: Any) -> None:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise RegistryUnavailable("the schema registry's response is compressed, which was not requested")
        response.stream = limited(response.stream, response.status_code)

    session.event_hooks = {"request": [before], "response": [after]}


def _limited_stream(session: Any) -> type[Any]:
    """The class of streams that raise an error at the limits."""
    httpx = next(base for base in type(session).__mro__ if base.__name__ == "Client").__module__
    http = sys.modules[httpx.partition(".")[0]]  # httpx2; httpx in older versions

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
                    raise _too_large(self._status)
                yield chunk

        def close(self) -> None:
            self._stream.close()

    return LimitedStream


def _check_deadline() -> None:
    until = _deadline.get()
    if until is not None and time.monotonic() > until[0]:
        raise _timed_out(until[1])


def _timed_out(seconds: float) -> RegistryUnavailable:
    return RegistryUnavailable(f"the schema registry did not answer within {seconds:g} s")


def _too_large(status: int) -> RegistryRefused | RegistryUnavailable:
    """Of an answer, which may be one schema's fault, or of an error."""
    message = f"the schema registry's response is larger than {MAX_RESPONSE} bytes"
    return RegistryRefused(message, status) if status == 200 else RegistryUnavailable(message)  # noqa: PLR2004 - OK
