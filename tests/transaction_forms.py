"""The four forms in which a SQL guard gives its transaction to a handler, used alike by tests."""

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
from sqlalchemy.orm import Session, sessionmaker

from guard_statements import KEY, TOPIC
from immersiverse.auth.events.guards import AsyncSqlGuard, SqlGuard, Verdict
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

FORMS = ("connection", "session", "async connection", "async session")
Handler = Callable[[Any], None]
"""Works on the plain form of what it is given: async ones are run by `run_sync`."""


class Handling:
    """Lets handlers work in the transaction of a guard.

    Args:
        guard: the guard.
        runner: its event loop; None for a plain guard.
    """

    def __init__(self, guard: SqlGuard | AsyncSqlGuard, runner: asyncio.Runner | None) -> None:
        self.guard = guard
        self._runner = runner

    def run(self, called: Any) -> Any:
        """What a method of the guard returns, whether it is async or not."""
        return called if self._runner is None else self._runner.run(called)

    def handle(self, event: AuthEvent, handler: Handler = lambda _: None, key: bytes | None = KEY) -> Verdict:
        """The verdict on an event, which a handler handles if it is fresh. Raises as the guard does."""
        if isinstance(self.guard, SqlGuard):
            with self.guard.admit(event, TOPIC, key) as admission:
                if admission.verdict is Verdict.FRESH:
                    handler(admission.transaction)
            return admission.verdict
        verdict: Verdict = self.run(self._handle(self.guard, event, handler, key))
        return verdict

    async def _handle(
        self, guard: AsyncSqlGuard, event: AuthEvent, handler: Handler, key: bytes | None
    ) -> Verdict:
        async with guard.admit_async(event, TOPIC, key) as admission:
            if admission.verdict is Verdict.FRESH:
                transaction: AsyncConnection | AsyncSession = admission.transaction
                await transaction.run_sync(handler)
        return admission.verdict


@contextmanager
def handling(
    form: str, url: str, consumer: str, *, async_url: str = "", **options: Any
) -> Iterator[Handling]:
    """A guard of a form, with its tables made.

    Args:
        form: one of `FORMS`.
        url: the database.
        consumer: the guard's.
        async_url: the database as an asyncio driver finds it; the same unless given.
        options: of the engine, and under ``guard`` those of the guard.
    """
    of_guard = options.pop("guard", {})
    if not form.startswith("async"):
        engine = create_engine(url, **options)
        guard = SqlGuard(sessionmaker(engine) if form == "session" else engine, consumer, **of_guard)
        guard.create_tables()
        try:
            yield Handling(guard, None)
        finally:
            engine.dispose()
        return
    with asyncio.Runner() as runner:
        database: AsyncEngine = create_async_engine(async_url or url, **options)
        asked = async_sessionmaker(database) if form == "async session" else database
        async_guard = AsyncSqlGuard(asked, consumer, **of_guard)
        runner.run(async_guard.create_tables())
        try:
            yield Handling(async_guard, runner)
        finally:
            runner.run(database.dispose())


def is_session(transaction: Any) -> bool:
    """Whether a handler was given a session."""
    return isinstance(transaction, Session)
