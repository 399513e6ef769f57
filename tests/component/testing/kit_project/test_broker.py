"""Plain tests against the session's broker and registry; each sees its own events only."""

from __future__ import annotations

import time

import pytest

from immersiverse.auth.events import (
    AuthEvent,
    AuthEventDeserializer,
    AuthEventSerializer,
    LoginFailed,
    Publisher,
    SchemaRegistry,
    Subscriber,
    UserCreated,
)
from immersiverse.auth.events.testing import EmbeddedRegistry, PublishedEvents, sample_event


@pytest.mark.parametrize("seed", range(4))
def test_a_subscriber_handles_what_this_test_publishes(
    seed: int, auth_events_kafka: str, auth_events_group: str, auth_events_registry: EmbeddedRegistry
) -> None:
    began = time.monotonic()
    handled: list[AuthEvent] = []
    event = sample_event(LoginFailed, seed=seed)
    config = {"bootstrap.servers": auth_events_kafka}
    with SchemaRegistry(auth_events_registry.url) as registry:
        subscriber = Subscriber(
            {**config, "group.id": auth_events_group, "group.protocol": "consumer"},
            deserializer=AuthEventDeserializer(registry),
        )

        @subscriber.on(LoginFailed)
        def handle(event: AuthEvent, _login: LoginFailed) -> None:
            handled.append(event)
            subscriber.stop()

        with Publisher(config, serializer=AuthEventSerializer(registry)) as publisher:
            publisher.publish(event)
        subscriber.run()
    assert handled == [event]
    assert time.monotonic() - began < 5  # a second, where nothing else runs


@pytest.mark.parametrize("seed", range(4))
def test_published_has_what_this_test_publishes(
    seed: int, auth_events_kafka: str, auth_events_registry: EmbeddedRegistry, published: PublishedEvents
) -> None:
    event = sample_event(UserCreated, seed=seed)
    assert published.all() == []
    with SchemaRegistry(auth_events_registry.url) as registry:
        serializer = AuthEventSerializer(registry)
        with Publisher({"bootstrap.servers": auth_events_kafka}, serializer=serializer) as publisher:
            publisher.publish(event)
    assert published.wait_for(1) == [event]
    assert published.all() == [event]


def test_published_says_what_there_is_when_it_waits_in_vain(published: PublishedEvents) -> None:
    with pytest.raises(TimeoutError, match=r"0 of 1 events were published in 0\.1 s: \[\]"):
        published.wait_for(1, timeout=0.1)
