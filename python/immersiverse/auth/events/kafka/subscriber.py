"""Consume events with functions that say which they want."""

from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.dead_letters import DeadLetters
from immersiverse.auth.events.kafka.dispatcher import Dispatcher
from immersiverse.auth.events.kafka.handlers import Handlers
from immersiverse.auth.events.kafka.handling import Handling
from immersiverse.auth.events.kafka.policy import Policy
from immersiverse.auth.events.kafka.poller import Poller
from immersiverse.auth.events.kafka.settings import consumer_settings
from immersiverse.auth.events.kafka.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf.message import Message

    from immersiverse.auth.events.guards.guard import Guard
    from immersiverse.auth.events.kafka.handlers import H
    from immersiverse.auth.events.kafka.handling import UnknownPolicy
    from immersiverse.auth.events.observability.hooks import Detail, Hook
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

_NAMES = {event_type.arm: event_type.name for event_type in catalog.EVENT_TYPES.values()}


class Subscriber:
    """Calls a function for each event, at least once, each user's events in order.

    Offsets are committed once what lies before them is handled, or safe on the dead letter topic. With
    ``enable.auto.commit`` librdkafka commits those in its own time; without (the default) the subscriber does, every
    `commit_interval`. Both are at-least-once.

    Args:
        config: librdkafka's settings, at least ``bootstrap.servers`` and ``group.id``.
        topics: what to read; the topics of the events that have handlers, unless given.
        deserializer: how messages become events.
        policy: concurrency, retries, and what follows a failure.
        guard: keeps repeated and stale events from the handlers.
        unknown: what becomes of event types that the contract does not know, unless ``on_unknown`` takes them.
        dead_letters: where messages go that cannot be processed; the contract's dead letter topic unless given.
        hooks: what is told about the work.
        commit_interval: seconds between commits.
        drain: seconds that running handlers get when a partition goes or the subscriber stops.
        backlog: how many messages may be under way in memory.

    Raises:
        ConfigurationError: if a setting is wrong or breaks a guarantee.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        topics: Sequence[str] = (),
        *,
        deserializer: AuthEventDeserializer,
        policy: Policy | None = None,
        guard: Guard | None = None,
        unknown: UnknownPolicy = "skip",
        dead_letters: DeadLetters | None = None,
        hooks: Sequence[Hook] = (),
        commit_interval: float = 1.0,
        drain: float = 30.0,
        backlog: int = 5_000,
    ) -> None:
        self._settings = consumer_settings(config)
        self._topics = tuple(topics)
        self._deserializer = deserializer
        self._policy = policy or Policy()
        self._guard = guard
        self._unknown: UnknownPolicy = unknown
        self._dead_letters = dead_letters or DeadLetters(config)
        self._hooks = tuple(hooks)
        self._commit_interval = commit_interval
        self._drain = drain
        self._backlog = backlog
        self._handlers = Handlers()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stop_asked = False
        self._failure: BaseException | None = None

    def on(self, *payloads: type[Message]) -> Callable[[H], H]:
        """Decorates the function that handles payloads of these classes.

        It is called with the event and its payload, and with a `Context` if it has a third parameter. It may be
        ``async``.

        Raises:
            ConfigurationError: if a class is no payload of the contract, or has a handler already.
        """
        return self._handlers.on(*payloads)

    def on_any(self, function: H) -> H:
        """Decorates the function that handles every event without a handler of its own, whatever its type."""
        return self._handlers.on_any(function)

    def on_unknown(self, function: H) -> H:
        """Decorates the function that handles events of types that the contract does not know."""
        return self._handlers.on_unknown(function)

    def run(self) -> None:
        """Consume until ``stop``, SIGTERM or SIGINT; then let running handlers finish, commit, leave the group.

        Raises:
            AuthEventsError: if consuming cannot go on.
            Exception: an error of the policy's fatal kinds, as a handler raised it.
        """
        asyncio.run(self.run_async(handle_signals=True))

    async def run_async(self, *, handle_signals: bool = False) -> None:
        """``run`` in an event loop that runs already; its signals are left alone unless told."""
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        if self._stop_asked:
            return
        if handle_signals:
            self._heed_signals()
        executor = self._executor()
        poller = self._poller(executor)
        poller.start()
        try:
            await self._commit_until_stopped(poller)
        finally:
            await poller.stop()
            self._dead_letters.close()
            if executor is not None:
                executor.shutdown(wait=False, cancel_futures=True)
            self._stop = None
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ask ``run`` to end, from any thread or signal handler."""
        self._stop_asked = True
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    def _poller(self, executor: Executor | None) -> Poller:
        assert self._loop is not None  # noqa: S101 - run_async set it
        tell = self._tell if self._hooks else None
        handling = Handling(self._deserializer, self._handlers, self._guard, self._unknown, executor, tell)
        tally = Tally(tell, _NAMES) if tell else None
        dispatcher = Dispatcher(
            handling, self._policy, self._dead_letters, tell=tell, tally=tally, fail=self._fail
        )
        return Poller(
            self._settings, self._subscription(), dispatcher, self._loop,
            backlog=self._backlog, drain=self._drain, tell=tell, fail=self._fail,
        )  # fmt: skip

    def _subscription(self) -> Sequence[str]:
        handled = [catalog.BY_ARM[arm].topic for arm in self._handlers.by_arm]
        topics = self._topics or tuple(dict.fromkeys(handled))
        if not topics:
            raise ConfigurationError("topics", "name topics, or decorate handlers with on(...) first")
        return topics

    def _executor(self) -> ThreadPoolExecutor | None:
        """Where plain functions run when more than one may at a time."""
        plain = any(not handler.is_async for handler in self._handlers.by_arm.values())
        if self._policy.concurrency == 1 or not plain:
            return None
        return ThreadPoolExecutor(self._policy.concurrency, thread_name_prefix="auth-events-handler")

    async def _commit_until_stopped(self, poller: Poller) -> None:
        assert self._stop is not None  # noqa: S101 - run_async set it
        while not self._stop.is_set():
            try:
                await asyncio.wait_for(self._stop.wait(), self._commit_interval)
            except TimeoutError:
                poller.commit()

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        if self._stop is not None:
            self._stop.set()

    def _tell(self, detail: Detail) -> None:
        for hook in self._hooks:
            hook(detail)

    def _heed_signals(self) -> None:
        if threading.current_thread() is threading.main_thread() and self._loop is not None:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.add_signal_handler(number, self.stop)
