"""How one subscriber handles one message: read it, ask the inbox, call the handler."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError, DecodeError
from immersiverse.auth.events.events import type_name
from immersiverse.auth.events.inbox.interface import Verdict
from immersiverse.auth.events.kafka.job import Reading, context
from immersiverse.auth.events.observability.hooks import Dropped, Gap, VersionJump
from immersiverse.auth.events.observability.tracing import Arrival
from immersiverse.auth.events.printable import capped
from immersiverse.auth.events.serialization.headers import headers_of
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.inbox.interface import Admission, AsyncInbox, Inbox
    from immersiverse.auth.events.kafka.handlers import Handler, Handlers
    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.observability.tracing import Tracer
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
    from immersiverse.auth.events.serialization.unknown import Decoded
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_log = logging.getLogger(__name__)
_FRESH = Verdict.FRESH
_MAX_NAME = 100  # characters of a type's name
UnknownPolicy = Literal["skip", "dead-letter"]
"""What becomes of events whose type the contract does not know, unless a handler takes them."""


class UnknownEventType(DecodeError):
    """The contract does not know an event's type, and the subscriber's policy condemns it."""


@dataclass(frozen=True, slots=True)
class Handling:
    """How one subscriber handles a message.

    Attributes:
        deserializer: reads it.
        handlers: by type.
        inbox: keeps duplicates from plain functions; None for no inbox.
        async_inbox: keeps them from ``async`` functions; None for no inbox.
        unknown: what becomes of types that the contract does not know.
        tell: what hears of drops and gaps.
        tracer: what follows each event; None for nothing.
        group: the consumer group.
    """

    deserializer: AuthEventDeserializer
    handlers: Handlers
    inbox: Inbox | None
    async_inbox: AsyncInbox | None
    unknown: UnknownPolicy
    tell: HookDispatcher
    tracer: Tracer | None = None
    group: str = ""

    def direct(self, *, aside: bool) -> dict[str, Callable[[Any, Any], Any]]:
        """What can be called with an event and its payload and nothing around it, by payload_field.

        Args:
            aside: whether functions run aside, so that calling them takes more than a call.
        """
        bare = self.inbox is None and self.tracer is None and not aside
        functions: dict[str, Callable[[Any, Any], Any]] = {}
        for event_type in catalog.EVENT_TYPES.values():
            handler = self.handlers.by_payload_field.get(event_type.payload_field)
            if handler is None:
                functions[event_type.payload_field] = _nobody_asked
            elif bare and not handler.is_async and not handler.wants_context:
                functions[event_type.payload_field] = handler.call
        return functions

    def read(self, record: Record) -> Reading:
        """What a message holds.

        Raises:
            DecodeError: if it cannot be read, or is of an unknown type that the policy condemns.
            RegistryError: if its schema is not known yet and cannot be had.
        """
        event, payload_field = self.deserializer.read(record)
        return Reading(event, payload_field, self.handler_of(event, payload_field))

    def handler_of(self, event: Decoded | None, payload_field: str) -> Handler | None:
        """What handles an event; None for tombstones and types that nobody asked for.

        Raises:
            UnknownEventType: if the policy condemns unknown types.
        """
        if payload_field:
            return self.handlers.by_payload_field.get(payload_field)
        if not isinstance(event, UnknownEvent):
            return None
        if self.handlers.unknown is None and self.unknown == "dead-letter":
            name = capped(event.event_type, _MAX_NAME)
            raise UnknownEventType(f"the contract of this version has no event type {name}")
        return self.handlers.unknown

    def call(self, handler: Handler, event: Any, payload_field: str, record: Record, attempt: int) -> None:
        """Let a plain function handle an event if the inbox finds it fresh. Raises what it raises.

        Raises:
            ConfigurationError: if it returned something to await: what that does would never be done.
        """
        if self.tracer is None:
            self._call(handler, event, payload_field, record, attempt)
            return
        with self.tracer.handling(self._arrival(event, record, attempt)):
            self._call(handler, event, payload_field, record, attempt)

    async def call_async(self, reading: Reading, record: Record, attempt: int) -> None:
        """`call` for functions that must be awaited."""
        if reading.handler is None or reading.event is None:
            return
        if self.tracer is None:
            await self._call_async(reading.handler, reading.event, reading.payload_field, record, attempt)
            return
        with self.tracer.handling(self._arrival(reading.event, record, attempt)):
            await self._call_async(reading.handler, reading.event, reading.payload_field, record, attempt)

    def _call(
        self, handler: Handler, event: Decoded, payload_field: str, record: Record, attempt: int
    ) -> None:
        if self.inbox is None:
            _invoke(handler, event, payload_field, record, attempt, None)
            return
        with self.inbox.admit(_envelope(event), record.topic(), record.key()) as admission:
            if self._is_fresh(admission, event, record):
                # Refused in the block, or the inbox would record it as handled.
                _invoke(handler, event, payload_field, record, attempt, admission.transaction)

    async def _call_async(
        self, handler: Handler, event: Decoded, payload_field: str, record: Record, attempt: int
    ) -> None:
        if self.async_inbox is None:
            await handler.call(*_arguments(handler, event, payload_field, record, attempt, None))  # type: ignore[misc]  # it is async: a handler's property
            return
        asked = self.async_inbox.admit_async(_envelope(event), record.topic(), record.key())
        async with asked as admission:
            if self._is_fresh(admission, event, record):
                arguments = _arguments(handler, event, payload_field, record, attempt, admission.transaction)
                await handler.call(*arguments)  # type: ignore[misc]  # it is async: a handler's property

    def _arrival(self, event: Decoded, record: Record, attempt: int) -> Arrival:
        return Arrival(
            topic=record.topic(),
            partition=record.partition(),
            offset=record.offset(),
            size=len(record.value() or b""),
            headers=tuple(headers_of(record)),
            event_id=_envelope(event).event_id,
            event_type=type_name(event),
            group=self.group,
            attempt=attempt,
        )

    def _is_fresh(self, admission: Admission, event: Decoded, record: Record) -> bool:
        if admission.jumped:
            _log.warning(
                "%s[%d]@%d: version %d is too far beyond %d, the last one of its user: the event is handled, "
                "but its version is not recorded; check who wrote it, or raise the inbox's max_version_jump",
                record.topic(), record.partition(), record.offset(), _envelope(event).version, admission.last,
            )  # fmt: skip
        if self.tell:
            self._tell_of(admission, event, record.topic())
        return admission.verdict is _FRESH

    def _tell_of(self, admission: Admission, event: Decoded, topic: str) -> None:
        version = _envelope(event).version
        if admission.verdict is not _FRESH:
            self.tell(Dropped(topic, type_name(event), admission.verdict.value))
        elif admission.jumped:
            self.tell(VersionJump(topic, admission.last, version))
        elif admission.last and version > admission.last + 1:
            self.tell(Gap(topic, admission.last, version))


def plain_inbox(inbox: Inbox | AsyncInbox | None) -> Inbox | None:
    """An inbox in the form that plain functions need; None if it has none."""
    return cast("Inbox", inbox) if hasattr(inbox, "admit") else None


def async_inbox(inbox: Inbox | AsyncInbox | None) -> AsyncInbox | None:
    """An inbox in the form that blocks no event loop; None if it has none."""
    return cast("AsyncInbox", inbox) if hasattr(inbox, "admit_async") else None


def _envelope(event: Decoded) -> AuthEvent:
    return event.envelope if isinstance(event, UnknownEvent) else event


def _arguments(  # noqa: PLR0913, PLR0917 - what a call is made of
    handler: Handler, event: Decoded, payload_field: str, record: Record, attempt: int, transaction: object
) -> tuple[Any, ...]:
    arguments: tuple[Any, ...] = (event, getattr(event, payload_field)) if payload_field else (event,)
    return (*arguments, context(record, attempt, transaction)) if handler.wants_context else arguments


def _invoke(  # noqa: PLR0913, PLR0917 - what a call is made of
    handler: Handler, event: Decoded, payload_field: str, record: Record, attempt: int, transaction: object
) -> None:
    returned = handler.call(*_arguments(handler, event, payload_field, record, attempt, transaction))
    if returned is not None:
        refuse_awaitable(handler.call, returned)


def _nobody_asked(_event: Any, _payload: Any) -> None:
    """For events whose type has no handler."""


def refuse_awaitable(function: Callable[..., Any], returned: Any) -> None:
    """Look at what a plain function returned.

    Raises:
        ConfigurationError: if it is something to await: what that does would never be done.
    """
    if not hasattr(returned, "__await__"):
        return
    if hasattr(returned, "close"):  # a coroutine, of which Python would warn besides
        returned.close()
    raise ConfigurationError(repr(function), "returned an awaitable: declare it with async def")
