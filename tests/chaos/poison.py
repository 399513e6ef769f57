"""Messages that no subscriber can read, among those of real users."""

from __future__ import annotations

from random import Random

from confluent_kafka import KafkaError, Message, Producer

from chaos.story import TOPICS, USERS


class Poison:
    """Sprinkles unreadable messages.

    Args:
        bootstrap: the cluster.
        random: whom it meets.

    Attributes:
        acknowledged: the texts that a broker has taken.
    """

    def __init__(self, bootstrap: str, random: Random) -> None:
        self.acknowledged: set[str] = set()
        self._random = random
        self._count = 0
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",  # it must meet the user's own events
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )

    def sprinkle(self) -> None:
        """Put one more in."""
        self._count += 1
        topic, user = self._random.choice(TOPICS), self._random.choice(USERS)
        text = f"poison-{self._count}"
        self._producer.produce(topic, text.encode(), user.encode(), on_delivery=self._note)
        self._producer.poll(0)

    def finish(self) -> None:
        """Wait for what is under way."""
        self._producer.flush(30)

    def _note(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.acknowledged.add((message.value() or b"").decode())
