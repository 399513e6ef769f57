"""Threads for calls that block: plain handlers, registry lookups, pruning.

`Workers` owns daemon threads: one whose call never returns does not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context as ContextVariables

    _Outcome = tuple[Any, BaseException | None]
    _Task = tuple[ContextVariables, Callable[[], object], asyncio.Future[_Outcome]]

T = TypeVar("T")


class Workers:
    """A pool of daemon threads. Python's own pool waits for its threads at exit, however long they take.

    Args:
        count: how many threads there may be; they are started as they are needed.
        name: the threads' name.
    """

    def __init__(self, count: int, name: str = "auth-events-handler") -> None:
        self._count = count
        self._name = name
        self._threads = 0
        self._running = 0
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()

    @property
    def busy(self) -> bool:
        """Whether a call is waited for."""
        return self._running > 0

    async def run(self, call: Callable[[], T]) -> T:
        """Call a function in a thread, with this task's context variables. Raises what the call raises."""
        if self._threads < self._count:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
            self._threads += 1
        outcome: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
        self._tasks.put((copy_context(), call, outcome))
        self._running += 1
        try:
            value, error = await outcome
        finally:
            self._running -= 1
        if error is not None:
            raise error
        returned: T = value
        return returned

    def close(self) -> None:
        """End the threads, each when its call has returned."""
        for _ in range(self._threads):
            self._tasks.put(None)
        self._threads = 0

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            context, call, outcome = task
            value: Any = None
            error: BaseException | None = None
            try:
                value = context.run(call)
            except BaseException as raised:  # noqa: BLE001 - it is raised where the call is awaited
                error = raised
            with suppress(RuntimeError):  # the loop was closed: nothing awaits the call any more
                outcome.get_loop().call_soon_threadsafe(_set_outcome, outcome, (value, error))
            del task, context, call, outcome, value, error  # free them while the thread is idle


def _set_outcome(future: asyncio.Future[_Outcome], outcome: _Outcome) -> None:
    # A tuple and not an exception: futures do not accept StopIteration.
    if not future.done():
        future.set_result(outcome)
