"""A real broker as tests of publishing and consuming use it, and the events that they send."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import (
    AuthEventDeserializer,
    DeadLetters,
    LoggedOut,
    PinnedSchemas,
    Policy,
    Publisher,
    Retry,
    Subscriber,
    new_event,
)
from immersiverse.auth.events.admin.cluster import is_failover
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from integration.running import ToTopic, eventually

TIME = Timestamp(seconds=1_748_772_930)
SOON = Retry(attempts=3, first=0.05, factor=2.0, jitter=0.0)


def event(user: str, number: int = 0) -> AuthEvent:
    """A numbered event of a user."""
    payload = LoggedOut(user_id=user, session_id=str(number), logged_out_at=TIME)
    return new_event(payload, source="/services/auth", version=number + 1)


class Cluster:
    """Topics, and what is in them."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.config: dict[str, Any] = {"bootstrap.servers": bootstrap}
        self._admin = AdminClient(self.config)
        self._topics: list[str] = []
        self._askers: dict[str, Consumer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for asker in self._askers.values():
            asker.close()
        for answer in self._admin.delete_topics(self._topics).values() if self._topics else ():
            answer.result(timeout=30)

    def name(self) -> str:
        """The name of a topic that does not exist, and is removed at the end if it does then."""
        return f"test-{uuid.uuid4()}"

    def create(self, name: str = "", partitions: int = 3, **config: str) -> str:
        """Make a topic."""
        name = name or self.name()
        settings = {key.replace("_", "."): value for key, value in config.items()}
        topic = NewTopic(name, num_partitions=partitions, config=settings)
        self._admin.create_topics([topic])[name].result(timeout=30)
        self._topics.append(name)
        return name

    def delete(self, topic: str) -> None:
        """Remove a topic before the end of the test."""
        self._topics.remove(topic)
        self._admin.delete_topics([topic])[topic].result(timeout=30)

    def publisher(self, topic: str, **config: Any) -> Publisher:
        """A publisher that sends everything to a topic."""
        settings = {key.replace("_", "."): value for key, value in config.items()}
        return Publisher({**self.config, **settings}, serializer=ToTopic(topic))

    def publish(self, topic: str, *events: AuthEvent) -> None:
        """Publish events, acknowledged."""
        with self.publisher(topic) as publisher:
            for each in events:
                publisher.send(each)

    def subscriber(
        self, topic: str, group: str = "", *, dead_letter_topic: str = "", **options: Any
    ) -> Subscriber:
        """A subscriber to one topic that is quick to retry and to commit."""
        config = {**self.config, "group.id": group or f"group-{uuid.uuid4()}", **options.pop("config", {})}
        chosen = {key: options.pop(key) for key in ("commit_interval", "drain", "backlog") if key in options}
        policy = replace(options.pop("policy", Policy(retry=SOON)), **{"commit_interval": 0.1, **chosen})
        options.setdefault("deserializer", AuthEventDeserializer(PinnedSchemas(1)))
        if dead_letter_topic:
            options["dead_letters"] = DeadLetters(config, topic=dead_letter_topic)
        return Subscriber(config, [topic], policy=policy, **options)

    def read(self, topic: str, count: int, within: float = 30.0) -> list[Message]:
        """The first messages of a topic, partition by partition."""
        consumer = Consumer({**self.config, "group.id": "reader", "enable.auto.commit": False})
        partitions = self._admin.list_topics(topic, timeout=30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        messages: list[Message] = []
        until = time.monotonic() + within
        while len(messages) < count and time.monotonic() < until:
            messages += consumer.consume(count - len(messages), 0.2)
        consumer.close()
        assert len(messages) == count, f"{len(messages)} of {count} messages in {topic}"
        return sorted(messages, key=lambda message: (message.partition(), message.offset()))

    def committed(self, group: str) -> dict[int, int]:
        """What a group has committed, by partition."""
        # As a consumer, which joins nothing: the admin client can end the process while a coordinator moves.
        if group not in self._askers:
            self._askers[group] = Consumer({**self.config, "group.id": group})
        there = self._admin.list_topics(timeout=30).topics
        known = [topic for topic in self._topics if topic in there]  # brokers learn of new ones a bit later
        wanted = [TopicPartition(topic, number) for topic in known for number in there[topic].partitions]
        found = _answered(lambda: self._askers[group].committed(wanted, timeout=30))
        return {position.partition: position.offset for position in found if position.offset >= 0}

    def lag(self, group: str) -> int:
        """How many messages a group has not committed yet."""
        committed, asker = self.committed(group), self._askers[group]
        ends = [
            asker.get_watermark_offsets(TopicPartition(topic, number), timeout=30)[1]
            for topic in self._topics
            for number in self._admin.list_topics(topic, timeout=30).topics[topic].partitions
        ]
        return sum(ends) - sum(committed.values())

    def forget(self, topic: str, before: int) -> None:
        """Delete what is before an offset of partition 0, as retention does."""
        place = TopicPartition(topic, 0, before)
        self._admin.delete_records([place])[place].result(timeout=30)

    def recreate(self, topic: str) -> None:
        """Delete a topic, and create it again with one partition and nothing in it."""
        self._admin.delete_topics([topic])[topic].result(timeout=30)
        eventually(lambda: topic not in self._admin.list_topics(timeout=30).topics)
        self._admin.create_topics([NewTopic(topic, num_partitions=1)])[topic].result(timeout=30)

    def allow(self, topic: str, max_bytes: int) -> None:
        """Change how large a topic's messages may be."""
        from confluent_kafka.admin import (  # noqa: PLC0415 - used here only
            AlterConfigOpType,
            ConfigEntry,
            ConfigResource,
            ResourceType,
        )

        entry = ConfigEntry("max.message.bytes", str(max_bytes), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        self._admin.incremental_alter_configs([resource])[resource].result(timeout=30)


def _answered(ask: Callable[[], list[TopicPartition]]) -> list[TopicPartition]:
    """The answer of a coordinator, asked again while it is another broker, or not yet one."""
    until = time.monotonic() + 30
    while True:
        try:
            return ask()
        except KafkaException as error:
            if not is_failover(error.args[0]) or time.monotonic() > until:
                raise
            time.sleep(0.1)
