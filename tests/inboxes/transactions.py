"""The four kinds of transaction that SQL inboxes give to handlers, used alike by tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import sessionmaker

from immersiverse.auth.events import AsyncSqlInbox, SqlInbox, Verdict
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from inboxes.behaviour import KEY, TOPIC

FORMS = ("connection", "session", "async connection", "async session")
Handler = Callable[[Any], None]
"""Works on the plain form of a transaction: it gets async ones through `run_sync`."""


class InboxConsumer:
    """Lets handlers work in the transactions of an inbox.

    Args:
        inbox: the inbox.
        runner: its event loop; None for a plain inbox.
    """

    def __init__(self, inbox: SqlInbox | AsyncSqlInbox, runner: asyncio.Runner | None) -> None:
        self.inbox = inbox
        self._runner = runner

    def handle(self, event: AuthEvent, handler: Handler = lambda _: None, key: bytes | None = KEY) -> Verdict:
        """The verdict on an event, which a handler handles if it is fresh. Raises as the inbox does."""
        if isinstance(self.inbox, SqlInbox):
            with self.inbox.admit(event, TOPIC, key) as admission:
                if admission.verdict is Verdict.FRESH:
                    handler(admission.transaction)
            return admission.verdict
        assert self._runner is not None
        return self._runner.run(self._handle(self.inbox, event, handler, key))

    async def _handle(
        self, inbox: AsyncSqlInbox, event: AuthEvent, handler: Handler, key: bytes | None
    ) -> Verdict:
        async with inbox.admit_async(event, TOPIC, key) as admission:
            if admission.verdict is Verdict.FRESH:
                transaction: AsyncConnection | AsyncSession = admission.transaction
                await transaction.run_sync(handler)
        return admission.verdict


@contextmanager
def inbox_consumer(
    form: str, url: str, name: str, *, async_url: str = "", **options: Any
) -> Iterator[InboxConsumer]:
    """A consumer whose inbox gives transactions of a form, with its tables created.

    Args:
        form: one of `FORMS`.
        url: the database.
        name: the consumer's.
        async_url: the database for an asyncio driver; the same by default.
        options: of the engine.
    """
    if not form.startswith("async"):
        engine = create_engine(url, **options)
        inbox = SqlInbox(sessionmaker(engine) if form == "session" else engine, name)
        inbox.create_tables()
        try:
            yield InboxConsumer(inbox, None)
        finally:
            engine.dispose()
        return
    with asyncio.Runner() as runner:
        database: AsyncEngine = create_async_engine(async_url or url, **options)
        source = async_sessionmaker(database) if form == "async session" else database
        async_inbox = AsyncSqlInbox(source, name)
        runner.run(async_inbox.create_tables())
        try:
            yield InboxConsumer(async_inbox, runner)
        finally:
            runner.run(database.dispose())
