"""Subscribers with an inbox on a real broker, for several files of tests."""

from __future__ import annotations

import uuid

from immersiverse.auth.events import AuthEventDeserializer, PinnedSchemas
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.policy import Policy
from immersiverse.auth.events.kafka.producer.publisher import Publisher
from immersiverse.auth.events.kafka.subscriber import Subscriber
from integration.running import ToTopic

QUICK = Retry(attempts=3, first=0.05, factor=1.0)


def subscriber(kafka, topic, inbox, *, concurrency=1, **options):
    """The only member of a new group: it gets all that was published."""
    return Subscriber(
        {"bootstrap.servers": kafka.bootstrap, "group.id": f"group-{uuid.uuid4()}"},
        [topic],
        deserializer=AuthEventDeserializer(PinnedSchemas(1)),
        inbox=inbox,
        policy=Policy(concurrency=concurrency, retry=QUICK),
        **options,
    )


def publish(kafka, topic, *events):
    with Publisher({"bootstrap.servers": kafka.bootstrap}, serializer=ToTopic(topic)) as publisher:
        for event in events:
            publisher.send(event)
