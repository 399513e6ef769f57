"""What the guide's table calls work, each done once: did it succeed?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
import sqlalchemy as sa

from commands import Result
from immersiverse.auth.events import AuthEventsError, Outbox, OutboxRelay, OutboxTables
from immersiverse.auth.events.outbox.status import backlog
from integration.running import eventually, logged_out
from integration.security.documented_rights import Scene
from outboxes import SERIALIZER, user_deleted

EVENT: Final = (
    '{"eventType":"UserCreated","timestamp":"2025-07-01T09:00:00Z","payload":{"userId":"user-1",'
    '"username":"alice","email":"alice@example.com","createdAt":"2025-07-01T09:00:00Z"}}'
)


@dataclass(frozen=True)
class Desk:
    """Where a user works.

    Attributes:
        scene: the topics, the group, the user.
        auth_events: runs commands as the user.
        caplog: what is logged meanwhile.
    """

    scene: Scene
    auth_events: Callable[..., Result]
    caplog: pytest.LogCaptureFixture


def _publishes(desk: Desk) -> bool:
    with desk.scene.user.publisher(desk.scene.topic) as publisher:
        delivery = publisher.send(logged_out())
        try:
            return delivery.result().done
        except AuthEventsError:
            return False


def _handles_one_event_and_dead_letters_the_next(desk: Desk) -> bool:
    scene = desk.scene
    scene.guarded.publish(scene.topic, logged_out(session="good"), logged_out(session="bad"))
    end = scene.guarded.end(scene.topic)
    subscriber = scene.user.subscriber([scene.topic], scene.group, dead_letter_topic=scene.dead_letter_topic)

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        if getattr(payload, "session_id", "") == "bad":
            raise ValueError

    def is_done() -> bool:
        return scene.guarded.committed(scene.group, scene.topic) == end

    with ThreadPoolExecutor(1) as thread:
        ending = thread.submit(subscriber.run)
        eventually(lambda: ending.done() or "cannot write a dead letter" in desk.caplog.text or is_done())
        subscriber.stop()
    return ending.exception() is None and is_done()


def _relays_an_outbox(desk: Desk) -> bool:
    """Without the right it waits: nothing is set aside that an ACL would let pass."""
    scene, tables = desk.scene, OutboxTables()
    with TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{folder}/outbox.db")
        outbox = Outbox(SERIALIZER)
        outbox.create_all(engine)
        with engine.begin() as connection:
            outbox.add(connection, user_deleted("anna"))
        relay = OutboxRelay(engine, scene.user.config)
        with ThreadPoolExecutor(1) as thread:
            ending = thread.submit(relay.run)
            eventually(
                lambda: backlog(engine, tables).rows == 0 or "TOPIC_AUTHORIZATION_FAILED" in desk.caplog.text
            )
            relay.stop()
        ending.result()
        found = backlog(engine, tables)
        engine.dispose()
    assert found.set_aside == 0
    return found.rows == 0


def _publishes_a_line(desk: Desk) -> bool:
    return "auth.events.user 1" in desk.auth_events("publish", "--schema-id", "1", stdin=EVENT).err


def _shows_the_events(desk: Desk) -> bool:
    result = desk.auth_events("tail", "--no-follow", "--topic", desk.scene.topic)
    return result.code == 0 and "UserCreated" in result.out


def _shows_the_lag(desk: Desk) -> bool:
    result = desk.auth_events("lag", "--group", desk.scene.group)
    return result.code == 0 and desk.scene.topic in result.out


def _moves_the_group(desk: Desk) -> bool:
    where = ("--group", desk.scene.group, "--topic", desk.scene.topic, "--to-beginning", "--yes")
    return desk.auth_events("replay", *where).code == 0


def _lists_the_dead_letters(desk: Desk) -> bool:
    result = desk.auth_events("dlq", "list", "--dlq-topic", desk.scene.dead_letter_topic)
    return result.code == 0 and "1 dead letters" in result.err


def _sends_the_dead_letter_back(desk: Desk) -> bool:
    where = ("--dlq-topic", desk.scene.dead_letter_topic, "--allow-topic", desk.scene.topic)
    result = desk.auth_events("dlq", "redrive", *where, "--yes")
    return result.code == 0 and "1 sent back" in result.err


WORK: Final[Mapping[str, Callable[[Desk], bool]]] = {
    "Publisher": _publishes,
    "Subscriber": _handles_one_event_and_dead_letters_the_next,
    "auth-events publish": _publishes_a_line,
    "auth-events outbox relay": _relays_an_outbox,
    "auth-events tail": _shows_the_events,
    "auth-events lag": _shows_the_lag,
    "auth-events replay": _moves_the_group,
    "auth-events dlq list": _lists_the_dead_letters,
    "auth-events dlq redrive": _sends_the_dead_letter_back,
}
"""By the guide's names."""
