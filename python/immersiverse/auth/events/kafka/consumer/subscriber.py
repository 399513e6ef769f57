"""Consume events with functions that name what they handle.

`Subscriber.stop` may be called from any thread and from signal handlers; everything else belongs to the
thread of the event loop. `run` owns that loop; `run_async` is a guest in one.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError, RegistryRefused
from immersiverse.auth.events.kafka.config import consumer_settings, require_kind, require_method
from immersiverse.auth.events.kafka.consumer.decoding import RecordDecoder
from immersiverse.auth.events.kafka.consumer.handlers import Handlers
from immersiverse.auth.events.kafka.consumer.invocation import (
    HandlerInvoker,
    async_inbox,
    plain_inbox,
)
from immersiverse.auth.events.kafka.consumer.metrics import ConsumeMetrics
from immersiverse.auth.events.kafka.consumer.options import (
    Policy,
    refuse_dead_letter_topics,
    refuse_handlers_without_topic,
)
from immersiverse.auth.events.kafka.consumer.other_groups import OtherGroups
from immersiverse.auth.events.kafka.consumer.poller import Poller
from immersiverse.auth.events.kafka.consumer.run import SubscriberRun, stop_on_signals
from immersiverse.auth.events.kafka.consumer.scheduler import Scheduler
from immersiverse.auth.events.kafka.consumer_yaml import REGISTRY_PREFIX, read_yaml
from immersiverse.auth.events.kafka.dead_letters import DeadLetters
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
from immersiverse.auth.events.kafka.workers import Workers
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.registry import SchemaRegistry
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from google.protobuf.message import Message

    from immersiverse.auth.events.inbox.interface import AsyncInbox, Inbox
    from immersiverse.auth.events.kafka.consumer.handlers import H, Handler, Registration, U
    from immersiverse.auth.events.kafka.consumer.records import Invocation
    from immersiverse.auth.events.kafka.consumer.run import KafkaStandIn, RecordSource
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import Tracer

    P1 = TypeVar("P1", bound=Message)
    P2 = TypeVar("P2", bound=Message)
    P3 = TypeVar("P3", bound=Message)
    P4 = TypeVar("P4", bound=Message)

_log = get_logger(__name__)
_SHARES = 10  # a partition whose unfinished events are more than this part of the backlog is paused


class Subscriber:
    """Calls a function for each event, at least once, each user's events in order.

    Offsets are committed once all events before them are handled, or safe on the dead letter topic. With
    ``enable.auto.commit`` librdkafka commits those on its own schedule; without (the default) the subscriber
    does, every ``policy.commit_interval``. Both are at-least-once.

    Plain functions run in worker threads, except under ``run`` with a concurrency of one: there they run in
    the thread that called ``run``. ``async`` functions run in the event loop.

    Args:
        config: librdkafka's settings, at least ``bootstrap.servers`` and ``group.id``.
        topics: what to read; the topics of the events that have handlers, unless given.
        deserializer: how messages become events.
        policy: how it behaves: concurrency, retries, unknown types, commits, backlog.
        inbox: keeps duplicates and stale events from the handlers. Plain handlers need an `Inbox`, ``async``
            ones an `AsyncInbox`. A SQL inbox is pruned on its schedule while the subscriber runs.
        dead_letters: where messages go that cannot be processed; the contract's topic for them unless given.
        hooks: what is notified of the work.
        tracer: what follows each event through the services.

    Raises:
        ConfigurationError: if a setting is wrong or breaks a guarantee.
    """

    def __init__(  # noqa: PLR0913 - its parts, by keyword
        self,
        config: Mapping[str, Any],
        topics: Sequence[str] = (),
        *,
        deserializer: AuthEventDeserializer,
        policy: Policy | None = None,
        inbox: Inbox | AsyncInbox | None = None,
        dead_letters: DeadLetters | None = None,
        hooks: Sequence[Hook] = (),
        tracer: Tracer | None = None,
    ) -> None:
        self._settings = consumer_settings(config)
        require_kind(str, **{f"topics[{place}]": topic for place, topic in enumerate(topics)})
        require_kind(Policy, policy=policy)
        require_kind(DeadLetters, dead_letters=dead_letters)
        require_method("__call__", deserializer=deserializer)
        require_method("admit_async" if hasattr(inbox, "admit_async") else "admit", inbox=inbox)
        require_method("handling", tracer=tracer)
        self._topics = tuple(topics)
        self._deserializer = deserializer
        self._policy = policy or Policy()
        if inbox is not None and self._policy.after_failure == "let-pass":
            raise ConfigurationError(
                "policy.after_failure",
                "let-pass with an inbox would drop what failed, as stale, once later ones are handled",
            )
        self._inbox = inbox
        self._dead_letters = dead_letters or DeadLetters(config, hooks=hooks)
        refuse_dead_letter_topics(self._topics, self._dead_letters.topic)
        self._notify = HookDispatcher(hooks)
        self._tracer = tracer
        self._handlers = Handlers()
        self._running: SubscriberRun | None = None
        self._stop_requested = False
        self._stand_in: KafkaStandIn | None = None  # in tests

    @classmethod
    def from_yaml(
        cls,
        path: str | Path,
        *,
        deserializer: AuthEventDeserializer | None = None,
        environ: Mapping[str, str] = os.environ,
        **options: Any,
    ) -> Self:
        """A subscriber from the ``auth-consumer`` block of a YAML file, with overrides from the environment.

        The block holds librdkafka's settings, ``topics`` and ``schema.registry.url``, with what else
        Confluent's client of a registry takes. Values are read as text. ``AUTH_CONSUMER_GROUP_ID`` overrides
        ``group.id``, and so on; ``AUTH_CONSUMER_TOPICS`` separates them by commas. What Kubernetes names like
        that for services is passed by.

        Args:
            path: the file.
            deserializer: how messages become events; by the block's registry unless given.
            environ: where overrides are looked for.
            options: the other arguments of a subscriber.

        Raises:
            ConfigurationError: with the key and the file, if a setting is missing, unknown or wrong.
            MissingExtra: if PyYAML is not installed.
        """
        found = read_yaml(path, environ)
        try:
            registry = None if deserializer else _registry_of(found.registry)
            deserializer = deserializer or AuthEventDeserializer(registry)
            subscriber = cls(found.config, found.topics, deserializer=deserializer, **options)
        except ConfigurationError as error:
            raise found.with_origin(error) from error
        if registry:
            weakref.finalize(subscriber, registry.close)
        return subscriber

    @overload
    def on(self, payload: type[P1], /) -> Registration[P1]: ...
    @overload
    def on(self, payload: type[P1], second: type[P2], /) -> Registration[P1 | P2]: ...
    @overload
    def on(self, payload: type[P1], second: type[P2], third: type[P3], /) -> Registration[P1 | P2 | P3]: ...
    @overload
    def on(
        self, payload: type[P1], second: type[P2], third: type[P3], fourth: type[P4], /
    ) -> Registration[P1 | P2 | P3 | P4]: ...
    @overload
    def on(
        self, payload: type[Message], second: type[Message], third: type[Message], fourth: type[Message], /,
        *more: type[Message],
    ) -> Registration[Any]: ...  # fmt: skip
    def on(self, *payloads: type[Message]) -> Registration[Any]:
        """Decorates the function that handles payloads of these classes.

        It is called with the event and its payload, and with a `Context` if it has a third parameter. It may
        be ``async``. Its payload may be annotated with these classes, and with no others.

        Raises:
            ConfigurationError: if a class is not a payload of the contract or has a handler already, or the
                function cannot be called so or is annotated with another payload.
        """
        return self._handlers.on(*payloads)

    def on_any(self, function: H) -> H:
        """Decorates the function that handles every event without a handler of its own, whatever its type.

        Raises:
            ConfigurationError: if there is one already.
        """
        return self._handlers.on_any(function)

    def on_unknown(self, function: U) -> U:
        """Decorates the function that handles events of types that the contract does not know.

        Raises:
            ConfigurationError: if there is one already.
        """
        return self._handlers.on_unknown(function)

    def run(self) -> None:
        """Consume until ``stop``, SIGTERM or SIGINT; then let what runs finish, commit, leave the group.

        A second signal ends the process at once; what was not committed will be redelivered.

        Raises:
            ConfigurationError: if there is nothing to consume, it is running already, or in an event loop.
            ConsumeError: if consuming cannot go on until a person changes something.
            Exception: an error of the policy's fatal kinds, as a handler raised it.
        """
        if asyncio._get_running_loop() is not None:  # noqa: SLF001 - documented in asyncio for such questions
            raise ConfigurationError("run", "an event loop is running: await run_async() in it")
        with stop_on_signals(self.stop):
            asyncio.run(self._consume(owns_loop=True))

    async def run_async(self) -> None:
        """``run`` in an event loop that is running; its signal handlers stay. Cancelling it is a stop.

        Nothing blocks the loop: plain handlers and registry lookups run in threads.
        """
        await self._consume(owns_loop=False)

    def stop(self) -> None:
        """Ask ``run`` to begin no more events and to end, from any thread, handler or signal handler.

        A run that has not begun ends at once.
        """
        self._stop_requested = True
        if (run := self._running) is not None:
            run.stop()

    async def _consume(self, *, owns_loop: bool) -> None:
        if self._running is not None:
            raise ConfigurationError("run", "the subscriber is running already")
        topics = self._subscription()
        self._check_inbox()
        workers = None if owns_loop and self._policy.concurrency == 1 else Workers(self._policy.concurrency)
        self._running = run = SubscriberRun(self._new_scheduler, workers)
        try:
            if not self._stop_requested:
                _log.info("group %s: consuming %s", self._settings["group.id"], ", ".join(topics))
                await run.consume(self._new_source(topics, run), self._policy.commit_interval, self._inbox)
        finally:
            self._running, self._stop_requested = None, False
            self._dead_letters.close()
            _log.info("group %s: the subscriber has ended", self._settings["group.id"])
        if run.failure is not None:
            raise run.failure

    def _new_scheduler(self, workers: Workers | None, on_error: Callable[[BaseException], None]) -> Scheduler:
        invoker = HandlerInvoker(
            self._inbox, self._notify,
            tracer=self._tracer, group=self._settings["group.id"], workers=workers,
        )  # fmt: skip
        policy, stand_in = self._policy, self._stand_in

        def invocation_of(handler: Handler) -> Invocation:
            return stand_in.watched(handler, invoker.invocation) if stand_in else invoker.invocation(handler)

        return Scheduler(
            RecordDecoder(self._deserializer, self._handlers, invocation_of, policy.unknown),
            OtherGroups(self._settings["group.id"], self._notify),
            policy,
            dead_letters=self._dead_letters,
            notify=self._notify,
            metrics=ConsumeMetrics(self._notify) if self._notify else None,
            share=max(policy.backlog // _SHARES, 2 * policy.concurrency),
            on_error=on_error,
        )

    def _new_source(self, topics: Sequence[str], run: SubscriberRun) -> RecordSource:
        if self._stand_in is not None:
            return self._stand_in.source(topics, run)
        return Poller(
            self._settings, topics, run.scheduler,
            loop=run.loop, policy=self._policy, notify=self._notify, on_error=run.fail,
        )  # fmt: skip

    @contextmanager
    def connected_to(self, stand_in: KafkaStandIn) -> Iterator[None]:
        """For tests: as long as this lasts, a run consumes from what stands in Kafka's place."""
        notify = self._notify
        self._stand_in, self._notify = stand_in, notify.joined_by(stand_in.hook)
        self._dead_letters.send_with(stand_in.producer)
        try:
            yield
        finally:
            self._stand_in, self._notify = None, notify

    def _subscription(self) -> Sequence[str]:
        handled = [catalog.BY_PAYLOAD_FIELD[field].topic for field in self._handlers.by_field]
        topics = self._topics or tuple(dict.fromkeys(handled))
        if not topics:
            raise ConfigurationError("topics", "name topics, or decorate handlers with on(...) first")
        refuse_dead_letter_topics(topics, self._dead_letters.topic)
        refuse_handlers_without_topic(topics, self._handlers.named)
        return topics

    def _check_inbox(self) -> None:
        plain, awaited, handlers = plain_inbox(self._inbox), async_inbox(self._inbox), self._handlers.all
        if plain is None and awaited is not None and not all(handler.is_async for handler in handlers):
            raise ConfigurationError("inbox", "serves async handlers only, and there are plain ones")
        # It would block the event loop, maybe for a lock that another async handler holds: a deadlock.
        if plain is not None and awaited is None and any(handler.is_async for handler in handlers):
            raise ConfigurationError(
                "inbox",
                "serves plain handlers only: for async ones use its other form, such as AsyncSqlInbox",
            )


def _registry_of(settings: Mapping[str, Any]) -> SchemaRegistry:
    """The registry that a block of settings names."""
    url = f"{REGISTRY_PREFIX}url"
    if not settings:
        raise ConfigurationError(url, "is required, unless a deserializer is given")
    registry = SchemaRegistry(settings)
    try:
        _ = registry.client  # which checks the settings
    except RegistryRefused as error:
        raise ConfigurationError(url, str(error)) from error
    return registry
