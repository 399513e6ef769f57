"""Threads for what blocks: plain handlers, and questions to a registry.

They end with the process: one that never returns does not keep it from ending.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    _Task = tuple[Context, Callable[[], object], asyncio.Future[BaseException | None]]


class Workers:
    """A pool of daemon threads. Python's own pool waits for its threads at exit, however long they take.

    Args:
        count: how many there may be; they are started as they are needed.
        name: what they are called.
    """

    def __init__(self, count: int, name: str = "auth-events-handler") -> None:
        self._count = count
        self._name = name
        self._threads = 0
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()

    async def run(self, call: Callable[[], object]) -> None:
        """Call a function in a thread, in this context. Raises what it raises."""
        if self._threads < self._count:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
            self._threads += 1
        outcome: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        self._tasks.put((copy_context(), call, outcome))
        if (error := await outcome) is not None:
            raise error

    def close(self) -> None:
        """End the threads, each when it has returned."""
        for _ in range(self._threads):
            self._tasks.put(None)
        self._threads = 0

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            context, call, outcome = task
            error: BaseException | None = None
            try:
                context.run(call)
            except BaseException as raised:  # noqa: BLE001 - it goes to whoever waits, whatever it is
                error = raised
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                outcome.get_loop().call_soon_threadsafe(_settle, outcome, error)


def _settle(outcome: asyncio.Future[BaseException | None], error: BaseException | None) -> None:
    # As a result: a future takes no StopIteration for an exception.
    if not outcome.done():
        outcome.set_result(error)
