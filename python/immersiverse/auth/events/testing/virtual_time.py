"""An event loop whose time runs by itself: when nothing but time is waited for, it jumps to the next timer.

The loop belongs to the thread that runs it.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

T = TypeVar("T")
A = TypeVarTuple("A")

_OWN_THREADS = ("asyncio_", "auth-events")  # prefixes of names: what they do for the loop is counted
_OWN = 1  # file descriptors that the loop itself registers: what wakes it


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Waits in earnest only for threads and sockets.

    Attributes:
        waits_for_threads: whether a thread works for the loop, beside those of its executor.
    """

    def __init__(self) -> None:
        self._ahead = 0.0
        self._jobs = 0
        self._threads = set(threading.enumerate())
        self.waits_for_threads: Callable[[], bool] = lambda: False
        super().__init__(_JumpingSelector(self._jump))

    def time(self) -> float:
        """Seconds, as far as time has come."""
        return super().time() + self._ahead

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*A], T], *args: *A
    ) -> asyncio.Future[T]:
        """As every loop's; it counts what runs."""
        self._jobs += 1
        done = super().run_in_executor(executor, func, *args)
        done.add_done_callback(self._count_done)
        return done

    def _count_done(self, _: object) -> None:
        self._jobs -= 1

    def _jump(self, seconds: float, registered: int) -> bool:
        """Let time pass, unless something else may happen first."""
        if self._jobs or registered > _OWN or self.waits_for_threads() or self._has_foreign_thread():
            return False
        self._ahead += seconds
        return True

    def _has_foreign_thread(self) -> bool:
        """Whether a library has started a thread meanwhile, such as a database driver: it may call back."""
        return any(
            thread not in self._threads and not thread.name.startswith(_OWN_THREADS)
            for thread in threading.enumerate()
        )


class _JumpingSelector(selectors.DefaultSelector):
    """Asks before it waits.

    Args:
        jump: is given the seconds to wait and the number of descriptors; whether they need not be waited for.
    """

    def __init__(self, jump: Callable[[float, int], bool]) -> None:
        super().__init__()
        self._jump_over = jump

    def select(self, timeout: float | None = None) -> Any:
        """What is ready; after at most this many seconds."""
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is not None and self._jump_over(timeout, len(self.get_map())):
            return ready
        return super().select(timeout)
