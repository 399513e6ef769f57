"""One attempt at one message: read it, ask the guard, call the handler."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import DecodeError
from immersiverse.auth.events.guards.guard import Admission, Verdict
from immersiverse.auth.events.observability.hooks import Dropped, Gap
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from immersiverse.auth.events.guards.guard import Guard
    from immersiverse.auth.events.kafka.handlers import Handler, Handlers
    from immersiverse.auth.events.kafka.job import Job
    from immersiverse.auth.events.observability.hooks import Detail
    from immersiverse.auth.events.serialization.codec import Decoded
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

UnknownPolicy = Literal["skip", "dead-letter"]
"""What becomes of events whose type the contract does not know, unless a handler takes them."""

_ALWAYS = Admission(Verdict.FRESH)


class UnknownEventType(DecodeError):
    """The contract does not know an event's type, and the subscriber's policy condemns it."""


@dataclass(frozen=True, slots=True)
class Handling:
    """How one subscriber handles an event.

    Attributes:
        deserializer: reads it.
        handlers: by type.
        guard: keeps repeats away; None for no guard.
        unknown: what becomes of types that the contract does not know.
        executor: where plain functions run; None for the event loop's own thread.
        tell: what hears of drops and gaps; None if nobody listens.
    """

    deserializer: AuthEventDeserializer
    handlers: Handlers
    guard: Guard | None
    unknown: UnknownPolicy
    executor: Executor | None
    tell: Callable[[Detail], None] | None

    async def attempt(self, job: Job) -> tuple[Decoded | None, str]:
        """Handle a message once; what it held, and its arm. Raises what the handler raises, or reading does."""
        event, arm = self.deserializer.read(job.message)
        handler = self.handler_of(event, arm)
        if handler is None or event is None:
            return event, arm
        if handler.is_async:
            with self._admission(event, job) as admission:
                if self._passes(admission, event, job):
                    await handler.call(*_arguments(handler, event, arm, job, admission))  # type: ignore[misc]  # is_async
        elif self.executor is None:
            self.call(handler, event, arm, job)
        else:
            await asyncio.get_running_loop().run_in_executor(
                self.executor, self.call, handler, event, arm, job
            )
        return event, arm

    def handler_of(self, event: Decoded | None, arm: str) -> Handler | None:
        """What handles an event; None for tombstones and types that nobody asked for.

        Raises:
            UnknownEventType: if the policy condemns unknown types.
        """
        if arm:
            return self.handlers.by_arm.get(arm)
        if not isinstance(event, UnknownEvent):
            return None
        if self.handlers.unknown is None and self.unknown == "dead-letter":
            raise UnknownEventType(f"the contract of this version has no event type {event.event_type}")
        return self.handlers.unknown

    def call(self, handler: Handler, event: Decoded, arm: str, job: Job) -> None:
        """Handle an event that was read already with a plain function, in this thread."""
        with self._admission(event, job) as admission:
            if self._passes(admission, event, job):
                handler.call(*_arguments(handler, event, arm, job, admission))

    def _admission(self, event: Decoded, job: Job) -> AbstractContextManager[Admission]:
        if self.guard is None:
            return nullcontext(_ALWAYS)
        envelope = event.envelope if isinstance(event, UnknownEvent) else event
        return self.guard.admit(envelope, job.message.topic(), job.message.key())

    def _passes(self, admission: Admission, event: Decoded, job: Job) -> bool:
        fresh = admission.verdict is Verdict.FRESH
        if self.tell and self.guard:
            topic, envelope = (
                job.message.topic(),
                event.envelope if isinstance(event, UnknownEvent) else event,
            )
            if not fresh:
                self.tell(Dropped(topic, type_name(event), admission.verdict.value))
            elif admission.last and envelope.version > admission.last + 1:
                self.tell(Gap(topic, admission.last, envelope.version))
        return fresh


def _arguments(handler: Handler, event: Decoded, arm: str, job: Job, admission: Admission) -> tuple[Any, ...]:
    arguments: tuple[Any, ...] = (event, getattr(event, arm)) if arm else (event,)
    return (*arguments, job.context(admission.transaction)) if handler.wants_context else arguments


def type_name(event: Decoded | None) -> str:
    """The short name of an event's type, for whoever counts: one word for all types that are not known."""
    if isinstance(event, AuthEvent):
        return catalog.BY_ARM[event.WhichOneof("payload") or ""].name
    return "unknown" if event else "tombstone"
