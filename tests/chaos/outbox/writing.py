"""A writer's process: ``python -m chaos.outbox.writing URL NAME JOURNAL``.

Threads write at the same time: quick transactions of all kinds, one that is held open and commits late, and
one of two phases with a long time between them.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from chaos.outbox.transactions import Attempt, Transactions, login_of
from chaos.story import USERS

LATE_USERS = tuple(f"late-{number}" for number in range(8))
"""Whose events are in transactions that are held open."""
_QUICK_THREADS = 4
_PAUSE = 0.03  # seconds between the quick transactions of a thread, at most
_HELD = (0.5, 6.0)  # seconds
_TRIES = 5  # of a serializable transaction


class Writer:
    """Writes until it is asked to stop.

    Args:
        transactions: its transactions.
        name: its name.
        stopping: ends it.
    """

    def __init__(self, transactions: Transactions, name: str, stopping: threading.Event) -> None:
        self._transactions = transactions
        self._name = name
        self._stopping = stopping

    def run(self) -> None:
        """Write with several threads.

        Raises:
            TimeoutError: if the database does not come back.
        """
        self._transactions.finish_all_prepared()
        turns: list[Callable[[], None]] = [self._quick] * _QUICK_THREADS
        turns += [self._held_open, self._two_phase]
        with ThreadPoolExecutor(len(turns)) as threads:
            ends = [threads.submit(self._repeat, turn) for turn in turns]
        for end in ends:
            end.result()
        self._transactions.finish_all_prepared()

    def _repeat(self, turn: Callable[[], None]) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    turn()
                except sa.exc.SQLAlchemyError:  # no connection
                    self._stopping.wait(0.3)
        finally:  # a thread that fails ends the process
            self._stopping.set()

    def _quick(self) -> None:
        kinds = (self._plain, self._circle, self._serializable)
        random.choices(kinds, weights=(6, 2, 2))[0]()
        self._stopping.wait(random.uniform(0, _PAUSE))

    def _plain(self) -> None:
        """Some events at once, now and then with some in a savepoint, now and then rolled back."""
        users = random.sample(USERS, random.randint(1, 3))
        if random.random() < 0.02:
            users.append(random.choice(LATE_USERS))

        def steps(attempt: Attempt) -> None:
            attempt.add(*(login_of(user) for user in users))
            if random.random() < 0.1:
                self._transactions.roll_back_to_savepoint(attempt, login_of(users[0]))

        self._transactions.run("plain", steps, commit=random.random() > 0.15)

    def _circle(self) -> None:
        """Two users one after the other, while another thread may take them in the opposite order."""
        first, second = random.sample(USERS[:4], 2)

        def steps(attempt: Attempt) -> None:
            attempt.add(login_of(first))
            time.sleep(0.02)
            attempt.add(login_of(second))

        self._transactions.run("separate-adds", steps)

    def _serializable(self) -> None:
        """Read all counters and change one: the database refuses some of them, which are tried again."""
        event = login_of(random.choice(USERS))
        counter = random.randrange(10)

        def steps(attempt: Attempt) -> None:
            attempt.connection.exec_driver_sql("SELECT sum(n) FROM counters").scalar_one()
            attempt.connection.exec_driver_sql(f"UPDATE counters SET n = n + 1 WHERE id = {counter}")
            attempt.add(event)

        for _ in range(_TRIES):
            if self._transactions.run("serializable", steps, isolation="SERIALIZABLE"):
                return

    def _held_open(self) -> None:
        def steps(attempt: Attempt) -> None:
            attempt.add(login_of(random.choice(LATE_USERS)))
            self._stopping.wait(random.uniform(*_HELD))

        self._transactions.run("held-open", steps, commit=random.random() > 0.2)

    def _two_phase(self) -> None:
        def steps(attempt: Attempt) -> None:
            attempt.add(login_of(random.choice(LATE_USERS)), login_of(random.choice(LATE_USERS)))

        transaction = f"{self._name}-{uuid.uuid4()}"
        if ids := self._transactions.prepare(transaction, steps):
            self._stopping.wait(random.uniform(*_HELD))
            self._transactions.finish_prepared(transaction, ids, commit=random.random() > 0.2)
        else:
            self._stopping.wait(0.3)


def main(url: str, name: str, journal: Path) -> None:
    """Write until SIGTERM, and finish what is open."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    transactions = Transactions(url, name, journal)
    Writer(transactions, name, stopping).run()
    transactions.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
