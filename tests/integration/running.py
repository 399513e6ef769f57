"""Subscribers that run beside a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from immersiverse.auth.events import (
    AuthEventSerializer,
    LoggedOut,
    LogoutReason,
    PinnedSchemas,
    new_event,
)
from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
from immersiverse.auth.events.serialization.serializer import SerializedEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class ToTopic(AuthEventSerializer):
    """A serializer that sends everything to one topic of a test."""

    def __init__(self, topic: str) -> None:
        super().__init__(PinnedSchemas(1))
        self._only = topic

    def serialize(self, event: AuthEvent, *, topic: str = "") -> SerializedEvent:
        """See `AuthEventSerializer.serialize`."""
        return super().serialize(event, topic=topic or self._only)


def logged_out(user: str = "user-1", session: str = "1") -> AuthEvent:
    """A valid event."""
    payload = LoggedOut(user_id=user, session_id=session, reason=LogoutReason.LOGOUT_REASON_USER_REQUEST)
    payload.logged_out_at.GetCurrentTime()
    return new_event(payload, source="/services/auth")


@contextmanager
def running(*subscribers: Subscriber) -> Iterator[None]:
    """Run subscribers in threads of their own, and stop them; what they raise is raised here."""
    raised: list[BaseException] = []

    def run(subscriber: Subscriber) -> None:
        try:
            subscriber.run()
        except BaseException as error:  # noqa: BLE001 - raised below
            raised.append(error)

    threads = [threading.Thread(target=run, args=(subscriber,)) for subscriber in subscribers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for subscriber in subscribers:
            subscriber.stop()
        for thread in threads:
            thread.join(60)
    if raised:
        raise raised[0]


def eventually(holds: Callable[[], Any], within: float = 60.0) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: if it does not in time; with what was found last, if it returns that.
    """
    until = time.monotonic() + within
    while not (found := holds()):
        assert time.monotonic() < until, f"not within {within} s: {found!r}"
        time.sleep(0.05)
