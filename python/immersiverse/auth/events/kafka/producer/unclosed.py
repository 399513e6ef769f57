"""Producers at a fork, and those that are still open when the interpreter exits.

One list of all producers in the process, which it does not keep alive, since Python's hooks for both cannot
be removed again.
"""

from __future__ import annotations

import atexit
import os
import weakref
from typing import Protocol


class _Closable(Protocol):
    def after_fork(self) -> None:
        """In the child: be unusable."""

    def close_unclosed(self, why: str) -> None:
        """Deliver or warn."""


_producers: weakref.WeakSet[_Closable] = weakref.WeakSet()


def watch(producer: _Closable) -> None:
    """Make a producer unusable in children, and close it when the interpreter exits."""
    _producers.add(producer)


def _after_fork() -> None:
    for producer in list(_producers):
        producer.after_fork()


def _at_exit() -> None:
    for producer in list(_producers):
        producer.close_unclosed("the interpreter exits")


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
