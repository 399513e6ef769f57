"""Looks, all the time while things go wrong, whether anything is committed that was not handled.

At the end everything is handled, and an offset that was committed too early would no longer show.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from chaos.effects import applied, written_down
from chaos.stage import Stage
from chaos.subscribing import WITH_INBOX
from chaos.topic_log import Partition, dead_letter_for

_INTERVAL = 2.0  # seconds


class EarlyCommits:
    """Looks into both groups of a stage.

    Attributes:
        looks: how many partitions' offsets were looked at.
        found: the places that were committed before they were handled, by group.
    """

    def __init__(self, stage: Stage) -> None:
        self.looks = 0
        self.found: list[str] = []
        self._stage = stage
        self._seen: dict[tuple[str, Partition], int] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look again and again meanwhile.

        Raises:
            TimeoutError: if the cluster does not answer.
        """
        over = threading.Event()
        with ThreadPoolExecutor(1) as thread:
            watch = thread.submit(self._watch, over)
            try:
                yield
            finally:
                over.set()
            watch.result()

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(_INTERVAL):
            self.look()

    def look(self) -> None:
        """Compare now: first what is committed, then what is handled, which can only have grown meanwhile."""
        positions = {name: group.committed() for name, group in self._stage.groups.items()}
        self._stage.dead_letters.catch_up()
        self._stage.events.catch_up()
        dead_letters = set(self._stage.dead_letters.names.values())
        for group, offsets in positions.items():
            handled = self._handled(group)
            for partition, offset in offsets.items():
                self._compare(group, partition, offset, handled, dead_letters)

    def _compare(
        self, group: str, partition: Partition, offset: int, handled: set[str], dead_letters: set[str]
    ) -> None:
        self.looks += 1
        begin = self._seen.get((group, partition), 0)
        for number in range(begin, offset):
            place = (*partition, number)
            name = self._stage.events.names.get(place, "nothing")
            if name not in handled and dead_letter_for(group, place, name) not in dead_letters:
                self.found.append(f"{group}: {place} {name}")
        self._seen[group, partition] = max(begin, offset)

    def _handled(self, group: str) -> set[str]:
        stage = self._stage
        effects = applied(stage.database) if group == WITH_INBOX else written_down(stage.folder / "handled")
        return {effect.event_id for effect in effects}
