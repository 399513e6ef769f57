"""Consume events with functions that say which they want."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.config import consumer_settings, require_one_of, require_positive
from immersiverse.auth.events.kafka.consumer_yaml import read_yaml
from immersiverse.auth.events.kafka.dead_letters import DeadLetters
from immersiverse.auth.events.kafka.dispatcher import Dispatcher
from immersiverse.auth.events.kafka.handlers import Handlers
from immersiverse.auth.events.kafka.handling import Handling, UnknownPolicy, async_inbox, plain_inbox
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
from immersiverse.auth.events.kafka.policy import Policy
from immersiverse.auth.events.kafka.poller import Poller
from immersiverse.auth.events.kafka.pruning import prune_regularly
from immersiverse.auth.events.kafka.signals import stop_on_signals
from immersiverse.auth.events.kafka.subscription import refuse_dead_letter_topics
from immersiverse.auth.events.kafka.tally import Tally
from immersiverse.auth.events.kafka.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from google.protobuf.message import Message

    from immersiverse.auth.events.inbox.interface import AsyncInbox, Inbox
    from immersiverse.auth.events.kafka.handlers import H
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import Tracer
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

_SHARES = 10  # a partition whose unfinished events are more than this part of the backlog is paused
_NAMES = {event_type.payload_field: event_type.name for event_type in catalog.EVENT_TYPES.values()}


class Subscriber:
    """Calls a function for each event, at least once, each user's events in order.

    Offsets are committed once what lies before them is handled, or safe on the dead letter topic. With
    ``enable.auto.commit`` librdkafka commits those in its own time; without (the default) the subscriber
    does, every `commit_interval`. Both are at-least-once.

    With a concurrency of one, plain functions run in the thread that called ``run``: until one returns,
    nothing else happens there. With more they run in threads of their own.

    Args:
        config: librdkafka's settings, at least ``bootstrap.servers`` and ``group.id``.
        topics: what to read; the topics of the events that have handlers, unless given.
        deserializer: how messages become events.
        policy: concurrency, retries, and what follows a failure.
        inbox: keeps duplicate and stale events from the handlers. Plain handlers need an `Inbox`, ``async``
            ones an `AsyncInbox`. A SQL inbox is pruned every ``prune_every`` while the subscriber runs.
        unknown: what becomes of types that the contract does not know, unless ``on_unknown`` takes them.
        dead_letters: where messages go that cannot be processed; the contract's topic for them unless given.
        hooks: what is told about the work.
        tracer: what follows each event through the services.
        commit_interval: seconds between commits.
        drain: seconds that running handlers get when a partition goes or the subscriber stops; at most half
            of ``max.poll.interval.ms``. A subscriber that stops has five seconds more for its last commit.
        backlog: how many messages may be under way in memory. A partition of which a tenth of that waits
            behind events that fail or take long is paused; what it holds counts apart, up to as many again.

    Raises:
        ConfigurationError: if a setting is wrong or breaks a guarantee.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, by keyword
        self,
        config: Mapping[str, Any],
        topics: Sequence[str] = (),
        *,
        deserializer: AuthEventDeserializer,
        policy: Policy | None = None,
        inbox: Inbox | AsyncInbox | None = None,
        unknown: UnknownPolicy = "skip",
        dead_letters: DeadLetters | None = None,
        hooks: Sequence[Hook] = (),
        tracer: Tracer | None = None,
        commit_interval: float = 1.0,
        drain: float = 30.0,
        backlog: int = 5_000,
    ) -> None:
        self._settings = consumer_settings(config)
        self._topics = tuple(topics)
        require_positive(backlog=backlog, commit_interval=commit_interval)
        require_one_of("unknown", unknown, UnknownPolicy)
        self._handlers = Handlers()
        self._policy = policy or Policy()
        if inbox is not None and self._policy.after_failure == "let-pass":
            raise ConfigurationError(
                "policy.after_failure",
                "let-pass with an inbox would drop what failed, as stale, once later ones are handled",
            )
        self._dead_letters = dead_letters or DeadLetters(config, hooks=hooks)
        refuse_dead_letter_topics(self._topics, self._dead_letters.topic)
        self._tell = HookDispatcher(hooks)
        self._handling = Handling(
            deserializer, self._handlers, plain_inbox(inbox), async_inbox(inbox), unknown, self._tell,
            tracer, self._settings["group.id"],
        )  # fmt: skip
        self._commit_interval = commit_interval
        self._drain = drain
        self._backlog = backlog
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._dispatcher: Dispatcher | None = None
        self._stop_asked = False
        self._failure: BaseException | None = None

    @classmethod
    def from_yaml(
        cls,
        path: str | Path,
        *,
        deserializer: AuthEventDeserializer,
        environ: Mapping[str, str] = os.environ,
        **options: Any,
    ) -> Self:
        """A subscriber from the ``auth-consumer`` block of a YAML file, with overrides from the environment.

        The block holds librdkafka's settings and ``topics``. ``AUTH_CONSUMER_GROUP_ID`` overrides
        ``group.id``, and so on; ``AUTH_CONSUMER_TOPICS`` separates them by commas.

        Args:
            path: the file.
            deserializer: how messages become events.
            environ: where overrides are looked for.
            options: what else a subscriber takes.

        Raises:
            ConfigurationError: with the key and the file, if a setting is missing, unknown or wrong.
            MissingExtra: if PyYAML is not installed.
        """
        found = read_yaml(path, environ)
        try:
            return cls(found.config, found.topics, deserializer=deserializer, **options)
        except ConfigurationError as error:
            raise found.with_origin(error) from error

    def on(self, *payloads: type[Message]) -> Callable[[H], H]:
        """Decorates the function that handles payloads of these classes.

        It is called with the event and its payload, and with a `Context` if it has a third parameter. It may
        be ``async``.

        Raises:
            ConfigurationError: if a class is no payload of the contract, or has a handler already.
        """
        return self._handlers.on(*payloads)

    def on_any(self, function: H) -> H:
        """Decorates the function that handles every event without a handler of its own, whatever its type.

        Raises:
            ConfigurationError: if there is one already.
        """
        return self._handlers.on_any(function)

    def on_unknown(self, function: H) -> H:
        """Decorates the function that handles events of types that the contract does not know.

        Raises:
            ConfigurationError: if there is one already.
        """
        return self._handlers.on_unknown(function)

    def run(self) -> None:
        """Consume until ``stop``, SIGTERM or SIGINT; then let what runs finish, commit, leave the group.

        A second signal ends the process at once; what was not committed will be handled again.

        Raises:
            ConfigurationError: if there is nothing to consume, it runs already, or an event loop does.
            ConsumeError: if consuming cannot go on until somebody changes something.
            Exception: an error of the policy's fatal kinds, as a handler raised it.
        """
        if asyncio._get_running_loop() is not None:  # noqa: SLF001 - documented in asyncio for such questions
            raise ConfigurationError("run", "an event loop runs already: await run_async() in it")
        with stop_on_signals(self.stop):
            asyncio.run(self.run_async())

    async def run_async(self) -> None:
        """``run`` in an event loop that runs already; its signals are left alone. Cancelling it is a stop."""
        if self._stop is not None:
            raise ConfigurationError("run", "the subscriber runs already")
        topics = self._subscription()
        self._require_inbox()
        self._loop, self._stop, self._failure = asyncio.get_running_loop(), asyncio.Event(), None
        try:
            if not self._stop_asked:
                await self._consume(topics, self._loop, self._stop)
        finally:
            self._loop, self._stop, self._dispatcher, self._stop_asked = None, None, None, False
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ask ``run`` to begin no more events and to end, from any thread, handler or signal handler.

        One that has not begun ends at once.
        """
        self._stop_asked = True
        loop, dispatcher = self._loop, self._dispatcher
        if dispatcher is not None:
            dispatcher.stop()  # the event loop may be some events away from its next turn
        if loop is not None:
            with suppress(RuntimeError):  # it has ended meanwhile, and its loop is closed
                loop.call_soon_threadsafe(self._halt)

    async def _consume(
        self, topics: Sequence[str], loop: asyncio.AbstractEventLoop, stop: asyncio.Event
    ) -> None:
        workers = self._workers()
        self._dispatcher = dispatcher = Dispatcher(
            self._handling, self._policy, dead_letters=self._dead_letters, workers=workers,
            tally=Tally(self._tell, _NAMES) if self._tell else None, fail=self._fail,
            share=max(self._backlog // _SHARES, 2 * self._policy.concurrency),
        )  # fmt: skip
        poller = Poller(
            self._settings, topics, dispatcher, loop=loop, backlog=self._backlog, drain=self._drain,
            tell=self._tell, fail=self._fail,
        )  # fmt: skip
        poller.start()
        pruning = loop.create_task(prune_regularly(self._handling.inbox or self._handling.async_inbox))
        try:
            await self._commit_until(stop, poller)
        finally:
            pruning.cancel()
            try:
                dispatcher.release()
                await poller.stop()
            finally:  # also if somebody cancels this
                await self._clean_up(dispatcher, workers)

    async def _clean_up(self, dispatcher: Dispatcher, workers: Workers | None) -> None:
        try:
            await dispatcher.close()
        finally:
            self._dead_letters.close()
            if workers is not None:
                workers.close()

    async def _commit_until(self, stop: asyncio.Event, poller: Poller) -> None:
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), self._commit_interval)
            except TimeoutError:
                poller.commit()

    def _subscription(self) -> Sequence[str]:
        handled = [
            catalog.BY_PAYLOAD_FIELD[payload_field].topic for payload_field in self._handlers.by_payload_field
        ]
        topics = self._topics or tuple(dict.fromkeys(handled))
        if not topics:
            raise ConfigurationError("topics", "name topics, or decorate handlers with on(...) first")
        refuse_dead_letter_topics(topics, self._dead_letters.topic)
        return topics

    def _require_inbox(self) -> None:
        inbox, async_inbox, handlers = self._handling.inbox, self._handling.async_inbox, self._handlers.all
        if inbox is None and async_inbox is not None and not all(handler.is_async for handler in handlers):
            raise ConfigurationError("inbox", "is for async handlers only, and there are plain ones")
        # It would block their event loop, maybe for a lock that another of them holds: then for ever.
        if inbox is not None and async_inbox is None and any(handler.is_async for handler in handlers):
            raise ConfigurationError(
                "inbox",
                "is for plain handlers only: for async ones use an async inbox, such as AsyncSqlInbox",
            )

    def _workers(self) -> Workers | None:
        """Where plain functions run when more than one may at a time."""
        plain = any(not handler.is_async for handler in self._handlers.all)
        return Workers(self._policy.concurrency) if plain and self._policy.concurrency > 1 else None

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        if self._dispatcher is not None:
            self._dispatcher.abort()
        self._halt()

    def _halt(self) -> None:
        """Begin nothing more, at once: the rest of stopping takes the event loop some turns."""
        if self._dispatcher is not None:
            self._dispatcher.release()
        if self._stop is not None:
            self._stop.set()
