"""What a publisher's credentials and rights do to its events: they wait, they are refused, none is lost."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from immersiverse.auth.events import AsyncPublisher, Publisher, PublishError, UndeliveredEvents
from immersiverse.auth.events.serialization.serializer import SerializedEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from integration.running import ToTopic, eventually, logged_out
from integration.security.guarded import Guarded, User
from integration.security.impostors import STRANGERS_BY_NAME, STRANGERS_TO_TLS, config_of

PATIENCE = {"delivery.timeout.ms": 3_000}


class ByUser(ToTopic):
    """A serializer that sends everything to one topic, save the events of some user."""

    def __init__(self, topic: str, **elsewhere: str) -> None:
        super().__init__(topic)
        self._elsewhere = elsewhere

    def serialize(self, event: AuthEvent, *, topic: str = "") -> SerializedEvent:
        """See `AuthEventSerializer.serialize`."""
        return super().serialize(event, topic=topic or self._elsewhere.get(event.logged_out.user_id, ""))


def test_the_right_to_write_is_enough_also_to_be_idempotent(user: User, topic: str) -> None:
    user.may("WRITE", topic)
    with user.publisher(topic) as publisher:
        assert publisher.send(logged_out()).result().offset == 0


def test_a_user_may_come_by_plain_as_well(plain_user: User, topic: str) -> None:
    plain_user.may("WRITE", topic)
    with plain_user.publisher(topic) as publisher:
        assert publisher.send(logged_out()).result().offset == 0


def test_events_of_strangers_wait_until_their_time_is_over_and_errors_and_log_say_why(
    user: User, topic: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    user.may("WRITE", topic)
    with ExitStack() as publishers:
        deliveries = {
            impostor: publishers.enter_context(
                Publisher({**config_of(impostor, user, tmp_path), **PATIENCE}, serializer=ToTopic(topic))
            ).send(logged_out())
            for impostor in (*STRANGERS_BY_NAME, *STRANGERS_TO_TLS)
        }
        for impostor, delivery in deliveries.items():  # at once, so that all wait at the same time
            with pytest.raises(PublishError) as failure:
                delivery.result()
            assert (failure.value.event, failure.value.code) == (delivery.event, "_MSG_TIMED_OUT")
            assert failure.value.retryable
            assert impostor.means in str(failure.value)
            (line,) = [line for line in caplog.messages if impostor.means in line and "cannot use" in line]
            assert line.startswith("producer cannot use broker ")
    assert [impostor.name for impostor in deliveries if impostor.says not in caplog.text] == []
    assert user.password not in caplog.text


def test_events_wait_for_a_password_to_be_put_right(
    guarded: Guarded, user: User, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    user.may("WRITE", topic)
    config = {**user.config, "sasl.password": "the-password-of-tomorrow"}
    with Publisher(config, serializer=ToTopic(topic)) as publisher:
        deliveries = [publisher.send(logged_out(session=str(number))) for number in range(3)]
        eventually(lambda: "invalid credentials" in caplog.text)
        assert not any(delivery.done for delivery in deliveries)
        guarded.set_password(user.name, "the-password-of-tomorrow")
        assert [delivery.result().offset for delivery in deliveries] == [0, 1, 2]


def test_an_event_for_a_forbidden_topic_is_refused_and_others_go_on(
    guarded: Guarded, user: User, topic: str
) -> None:
    user.may("WRITE", topic)
    forbidden = guarded.topic()
    events = [logged_out(name, str(number)) for number, name in enumerate(["good", "bad", "good", "good"])]
    with Publisher(user.config, serializer=ByUser(topic, bad=forbidden)) as publisher:
        deliveries = [publisher.send(event) for event in events]
        with pytest.raises(PublishError) as refusal:
            deliveries[1].result()
        assert [deliveries[number].result().offset for number in (0, 2, 3)] == [0, 1, 2]
    error = refusal.value
    assert (error.event, error.topic, error.code) == (events[1], forbidden, "TOPIC_AUTHORIZATION_FAILED")
    assert not error.retryable
    assert guarded.end(forbidden) == 0


def test_a_refusal_that_the_caller_does_not_see_is_reported_on_closing(
    guarded: Guarded, user: User, topic: str
) -> None:
    user.may("WRITE", topic)
    forbidden, event = guarded.topic(), logged_out("bad")
    publisher = Publisher(user.config, serializer=ByUser(topic, bad=forbidden))
    publisher.send(logged_out("good"))
    publisher.send(event)
    with pytest.raises(UndeliveredEvents) as undelivered:
        publisher.close()
    assert [error.event for error in undelivered.value.failed] == [event]
    assert undelivered.value.pending == ()
    assert guarded.end(topic) == 1


def test_the_same_publisher_goes_on_when_the_right_is_given(guarded: Guarded, user: User, topic: str) -> None:
    user.may("WRITE", topic)
    later, event = guarded.topic(), logged_out()
    with user.publisher(topic) as here, user.publisher(later) as publisher:
        here.send(event).result()
        with pytest.raises(PublishError, match="TOPIC_AUTHORIZATION_FAILED"):
            publisher.send(event).result()
        user.may("WRITE", later)
        eventually(lambda: _is_taken(publisher, event))
    assert guarded.end(later) == 1


def _is_taken(publisher: Publisher, event: AuthEvent) -> bool:
    try:
        publisher.send(event).result()
    except PublishError:
        return False
    return True


def test_an_async_publisher_gets_the_same_errors(guarded: Guarded, user: User, topic: str) -> None:
    user.may("WRITE", topic)
    forbidden, bad = guarded.topic(), logged_out("bad")

    async def publish() -> None:
        async with AsyncPublisher(user.config, serializer=ByUser(topic, bad=forbidden)) as publisher:
            refused = await publisher.send(bad)
            delivered = await publisher.send(logged_out("good"))
            with pytest.raises(PublishError, match="TOPIC_AUTHORIZATION_FAILED"):
                await refused
            assert (await delivered).offset == 0

    asyncio.run(publish())
