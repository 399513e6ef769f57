"""A scheduler in the running event loop, fed with messages of a test's making."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import Message

from immersiverse.auth.events.inbox.interface import Inbox
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer.decoding import RecordDecoder
from immersiverse.auth.events.kafka.consumer.handlers import Handlers
from immersiverse.auth.events.kafka.consumer.invocation import HandlerInvoker
from immersiverse.auth.events.kafka.consumer.metrics import ConsumeMetrics
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.other_groups import OtherGroups
from immersiverse.auth.events.kafka.consumer.records import split_batches
from immersiverse.auth.events.kafka.consumer.scheduler import Scheduler
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
from immersiverse.auth.events.kafka.record import Record
from immersiverse.auth.events.kafka.workers import Workers
from immersiverse.auth.events.observability.hooks import Hook
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.schemas import PinnedSchemas
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.v1 import events_pb2 as v1
from serialization_samples import TIME

TOPIC = "auth.events.login"
SCHEMAS = PinnedSchemas(1)
AT_ONCE = Retry(attempts=3, first=0.0, jitter=0.0)
_write = AuthEventSerializer(SCHEMAS)


def record(offset: int, user: str = "u-1", *, partition: int = 0, value: bytes | None = b"") -> Record:
    """A message of a user who logged out; of an own value, if one is given."""
    event = v1.AuthEvent(
        event_id=f"{partition}-{offset}",
        timestamp=TIME,
        logged_out=v1.LoggedOut(user_id=user, session_id=str(offset), logged_out_at=TIME),
    )
    message = Message(
        topic=TOPIC,
        partition=partition,
        offset=offset,
        key=user.encode() or None,
        value=_write(event) if value == b"" else value,
        headers=[("trace", b"1")],
        timestamp=(1, 1_748_772_930_123),
    )
    return cast("Record", message)


@dataclass
class DeadLettersInMemory:
    """Dead letters, as long as the process lives.

    Attributes:
        sent: each record with its error and attempts.
        open: whether they are acknowledged.
    """

    sent: list[tuple[Record, BaseException, int]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    async def send(self, record: Record, error: BaseException, attempts: int) -> bool:
        """Take one when they are open."""
        await self.open.wait()
        self.sent.append((record, error, attempts))
        return True

    @property
    def offsets(self) -> list[int]:
        """Which messages they are, if there is one partition."""
        return [sent.offset() for sent, _, _ in self.sent]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that the event loop will bring about.

    Raises:
        TimeoutError: if it has not in five seconds.
    """
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.001)


class Stage:
    """A scheduler, with what surrounds it.

    Attributes:
        scheduler: the scheduler; partition 0 is assigned to it.
        dead_letters: its dead letters.
        stopped_by: the errors that it would stop the subscriber for.
    """

    def __init__(  # noqa: PLR0913 - what a test may choose, by keyword
        self,
        handler: Callable[..., Any] | None,
        policy: Policy | None = None,
        *,
        deserializer: Any = None,
        inbox: Inbox | None = None,
        workers: Workers | None = None,
        hooks: Sequence[Hook] = (),
        share: int = 500,
    ) -> None:
        handlers, policy = Handlers(), policy or Policy(retry=AT_ONCE)
        if handler is not None:
            handlers.on_any(handler)
        notify = HookDispatcher(hooks)
        invoker = HandlerInvoker(inbox, notify, workers=workers)
        decoder = deserializer or AuthEventDeserializer(SCHEMAS)
        self.dead_letters = DeadLettersInMemory()
        self.stopped_by: list[BaseException] = []
        self.scheduler = Scheduler(
            RecordDecoder(decoder, handlers, invoker.invocation, policy.unknown),
            OtherGroups("group-1", notify),
            policy,
            dead_letters=self.dead_letters,
            notify=notify,
            metrics=ConsumeMetrics(notify) if hooks else None,
            share=share,
            on_error=self.stopped_by.append,
        )
        self.scheduler.assign([(TOPIC, 0)])

    def deliver(self, records: list[Record]) -> None:
        """Hand messages over as they are fetched."""
        self.scheduler.deliver(split_batches(records))

    async def finished(self, count: int) -> None:
        """Wait until so many messages are done with.

        Raises:
            TimeoutError: if they are not in five seconds.
        """
        await until(lambda: self.scheduler.finished >= count)

    async def handle(self, *records: Record) -> None:
        """Deliver messages and wait until they are done with."""
        before = self.scheduler.finished
        self.deliver(list(records))
        await self.finished(before + len(records))

    async def release(self, partition: int, seconds: float) -> dict[tuple[str, int], int]:
        """Give a partition away as the group wants it: what is to be committed of it."""
        return await self.scheduler.drained(self.scheduler.withdraw([(TOPIC, partition)]), seconds)

    def commits(self) -> dict[int, int]:
        """What may be committed now, by partition."""
        return {partition: offset for (_, partition), offset in self.scheduler.take_commits().items()}


TWO = Policy(concurrency=2, retry=AT_ONCE)


class Seen:
    """A handler that remembers, and fails as often as it is made to.

    Attributes:
        offsets: what it handled, in order.
    """

    def __init__(self, **failures: int) -> None:
        self.offsets: list[int] = []
        self.attempts: list[int] = []
        self._failures = {int(name.removeprefix("at_")): count for name, count in failures.items()}

    def __call__(self, _event: Any, payload: Any) -> None:
        """Handle one event."""
        offset = int(payload.session_id)
        self.attempts.append(offset)
        if self._failures.get(offset, 0):
            self._failures[offset] -= 1
            raise OSError(f"the database is away at {offset}")
        self.offsets.append(offset)

    async def wait(self, event: Any, payload: Any) -> None:
        """Handle one event, with a turn for others."""
        await asyncio.sleep(0)
        self(event, payload)


def staged(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run a test in an event loop."""

    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 20))

    run.__name__ = test.__name__
    return run
