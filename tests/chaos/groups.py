"""How far a consumer group has come, as its coordinator knows."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

from chaos.topic_log import Partition

_PATIENCE = 60.0  # seconds; a coordinator moves when its broker dies


class Group:
    """Asks for a group's offsets without being one of its members.

    librdkafka's AdminClient has the same question, and an assertion that ends the process when a coordinator
    dies before it answers (librdkafka issues 3663 and 4605).
    """

    def __init__(self, bootstrap: str, name: str, partitions: list[Partition]) -> None:
        self._name = name
        self._partitions = [TopicPartition(*partition) for partition in partitions]
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": name,
                "enable.auto.commit": False,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )

    def committed(self) -> dict[Partition, int]:
        """The next offset to read of each partition; none of those without a commit.

        Raises:
            TimeoutError: if no broker answers for the group.
        """
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                answer = self._consumer.committed(self._partitions, timeout=5)
            except KafkaException as error:
                if time.monotonic() > until:
                    raise TimeoutError(f"no offsets of {self._name}: {error}") from error
                time.sleep(0.2)
            else:
                return {(p.topic, p.partition): p.offset for p in answer if p.offset >= 0}

    def lag(self, ends: dict[Partition, int]) -> int:
        """How many messages before these ends are not committed yet."""
        positions = self.committed()
        return sum(end - positions.get(partition, 0) for partition, end in ends.items())

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()
