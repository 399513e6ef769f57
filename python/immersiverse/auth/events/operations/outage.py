"""Notice that no broker can be reached any more, and that one can: who waits for events should know."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaError, KafkaException

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Consumer

_LOOK_EVERY: Final = 1.0  # seconds
_PATIENCE: Final = 1.0  # seconds that a look may take


class Outage:
    """Follows one consumer.

    Args:
        tell: is told of the beginning and the end of an outage, in a sentence.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._away = False
        self._looked = 0.0

    def hear(self, error: KafkaError) -> None:
        """Take what librdkafka says in passing."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not self._away:  # noqa: SLF001 - librdkafka's name
            self._away = True
            self._tell("no broker can be reached any more; waiting for one, and going on from here then")

    def look(self, consumer: Consumer) -> None:
        """See whether it is over, if there is one; whoever calls has nothing else to do."""
        if not self._away or time.monotonic() - self._looked < _LOOK_EVERY:
            return
        try:
            consumer.list_topics(timeout=_PATIENCE)
        except KafkaException:
            self._looked = time.monotonic()
        else:
            self._away = False
            self._tell("Kafka answers again")
