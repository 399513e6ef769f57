"""How handlers are called: `HandlerInvoker` chooses a way for each at the start, `run_handlers` calls it.

Runs in the event loop's thread, except for the calls that `HandlerInvoker` hands to worker threads.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.events import type_name
from immersiverse.auth.events.inbox.interface import Verdict
from immersiverse.auth.events.kafka.consumer.failures import Failure
from immersiverse.auth.events.kafka.consumer.metrics import envelope_of
from immersiverse.auth.events.kafka.consumer.records import Invocation, context_of
from immersiverse.auth.events.kafka.record import position_of
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.observability.hooks import Dropped, Gap, VersionJump
from immersiverse.auth.events.observability.tracing import Arrival
from immersiverse.auth.events.serialization.headers import headers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from immersiverse.auth.events.inbox.interface import Admission, AsyncInbox, Inbox
    from immersiverse.auth.events.kafka.consumer.handlers import Handler
    from immersiverse.auth.events.kafka.consumer.metrics import TopicStats
    from immersiverse.auth.events.kafka.consumer.records import Call, Ready
    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.kafka.workers import Workers
    from immersiverse.auth.events.observability.tracing import Tracer
    from immersiverse.auth.events.serialization.unknown import Decoded

_log = get_logger(__name__)


async def run_handlers(ready: Iterable[Ready], stats: TopicStats | None) -> Failure | None:
    """Call handlers one after the other until one fails: every handler, for first attempts and later ones.

    While none of them waits (`Invocation.waits`), neither does this: a batch of plain handlers is run without
    a turn of the event loop.

    Args:
        ready: the attempts that are due. The next one is taken when the last one has succeeded.
        stats: where they are counted; None without hooks.

    Returns:
        The first failure; None if there was none.
    """
    clock, before = time.perf_counter, time.perf_counter()
    count = None if stats is None else stats.add
    event: Decoded | None = None
    for event, field, record, attempt, call in ready:
        try:
            if (pending := call(event, field, record, attempt)) is not None:
                await pending
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise  # we are; else the handler awaited something that was cancelled
            return Failure(record, error, event)
        if count is not None:  # one look at the clock for each: a microsecond of decoding is counted, too
            now = clock()
            count(field or type_name(event), now - before)
            before = now
    if stats is not None and event is not None:
        stats.last = event
    return None


class HandlerInvoker:
    """Chooses how each handler of a subscriber is called.

    Without ``workers``, threads for plain handlers, those are called in the event loop's thread.
    """

    def __init__(
        self,
        inbox: Inbox | AsyncInbox | None,
        notify: HookDispatcher,
        *,
        tracer: Tracer | None = None,
        group: str = "",
        workers: Workers | None = None,
    ) -> None:
        self._inbox = plain_inbox(inbox)
        self._async_inbox = async_inbox(inbox)
        self._notify = notify
        self._tracer = tracer
        self._group = group
        self._workers = workers

    def invocation(self, handler: Handler) -> Invocation:
        """How a handler is called."""
        if handler.is_async:
            return Invocation(self._async_call(handler), waits=True)
        is_bare = self._inbox is None and self._tracer is None and not handler.wants_context
        call = _bare_call(handler.call) if is_bare else self._plain_call(handler)
        if (workers := self._workers) is None:
            return Invocation(call, waits=False)
        return Invocation(lambda *arguments: workers.run(partial(call, *arguments)), waits=True)

    def _plain_call(self, handler: Handler) -> Call:
        def call(event: Any, field: str, record: Record, attempt: int) -> None:
            def handle(transaction: object) -> None:
                arguments = _arguments(handler, event, field, record, attempt, transaction)
                _refuse_awaitable(handler.call, handler.call(*arguments))

            with self._traced(event, record, attempt):
                if self._inbox is None:
                    handle(None)
                    return
                with self._inbox.admit(envelope_of(event), record.topic(), record.key()) as admission:
                    if self._is_fresh(admission, event, record):
                        handle(admission.transaction)

        return call

    def _async_call(self, handler: Handler) -> Call:
        function = cast("Callable[..., Any]", handler.call)

        async def call(event: Any, field: str, record: Record, attempt: int) -> None:
            with self._traced(event, record, attempt):
                if self._async_inbox is None:
                    await function(*_arguments(handler, event, field, record, attempt, None))
                    return
                admit = self._async_inbox.admit_async(envelope_of(event), record.topic(), record.key())
                async with admit as admission:
                    if self._is_fresh(admission, event, record):
                        transaction = admission.transaction
                        await function(*_arguments(handler, event, field, record, attempt, transaction))

        return call

    def _traced(self, event: Decoded, record: Record, attempt: int) -> AbstractContextManager[None]:
        if self._tracer is None:
            return nullcontext()
        return self._tracer.handling(
            Arrival(
                topic=record.topic(),
                partition=record.partition(),
                offset=record.offset(),
                size=len(record.value() or b""),
                headers=tuple(headers_of(record)),
                event_id=envelope_of(event).event_id,
                event_type=type_name(event),
                group=self._group,
                attempt=attempt,
            )
        )

    def _is_fresh(self, admission: Admission, event: Decoded, record: Record) -> bool:
        version = envelope_of(event).version
        if admission.jumped:
            _log.warning(
                "%s: version %d is too far beyond %d, the last one of its user: the event is handled, its "
                "version not remembered; find out who wrote it, or raise the inbox's max_version_jump",
                position_of(record), version, admission.last,
            )  # fmt: skip
        if self._notify:
            self._notify_of(admission, event, record.topic(), version)
        return admission.verdict is Verdict.FRESH

    def _notify_of(self, admission: Admission, event: Decoded, topic: str, version: int) -> None:
        if admission.verdict is not Verdict.FRESH:
            self._notify(Dropped(topic, type_name(event), admission.verdict.value))
        elif admission.jumped:
            self._notify(VersionJump(topic, admission.last, version))
        elif admission.last and version > admission.last + 1:
            self._notify(Gap(topic, admission.last, version))


def plain_inbox(inbox: Inbox | AsyncInbox | None) -> Inbox | None:
    """An inbox in the form that plain handlers need; None if it has none."""
    return cast("Inbox", inbox) if hasattr(inbox, "admit") else None


def async_inbox(inbox: Inbox | AsyncInbox | None) -> AsyncInbox | None:
    """An inbox in the form that blocks no event loop; None if it has none."""
    return cast("AsyncInbox", inbox) if hasattr(inbox, "admit_async") else None


def _bare_call(function: Callable[..., Any]) -> Call:
    """The call of a plain handler with nothing around it, which most events get."""

    def call(event: Any, field: str, _record: Record, _attempt: int) -> None:
        returned = function(event, getattr(event, field)) if field else function(event)
        if returned is not None:
            _refuse_awaitable(function, returned)

    return call


def _arguments(  # noqa: PLR0913, PLR0917 - what a call is made of
    handler: Handler, event: Decoded, field: str, record: Record, attempt: int, transaction: object
) -> tuple[Any, ...]:
    arguments: tuple[Any, ...] = (event, getattr(event, field)) if field else (event,)
    return (*arguments, context_of(record, attempt, transaction)) if handler.wants_context else arguments


def _refuse_awaitable(function: Callable[..., Any], returned: Any) -> None:
    """Check what a plain handler returned, within the inbox's transaction: else it would be committed.

    Raises:
        ConfigurationError: if it is an awaitable, which would never be awaited.
    """
    if not hasattr(returned, "__await__"):
        return
    if hasattr(returned, "close"):  # a coroutine, for which Python would warn as well
        returned.close()
    raise ConfigurationError(repr(function), "returned an awaitable: declare it with async def")


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
