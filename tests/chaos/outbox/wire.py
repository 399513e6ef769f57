"""Events as the outbox has them, as they are in Kafka, and as they were applied: all in one form."""

from __future__ import annotations

import sqlalchemy as sa

from chaos.effects import Effect
from chaos.story import TOPICS
from chaos.topic_log import TopicLog
from immersiverse.auth.events import AuthEvent, AuthEventDeserializer, PinnedSchemas
from immersiverse.auth.events.kafka.record import Record

_READER = AuthEventDeserializer(PinnedSchemas(1))


def on_the_wire(record: Record) -> str:
    """What a message holds: event id, version and key."""
    event = _event(record.value() or b"")
    return f"{event.event_id} {event.version} {(record.key() or b'').decode()}"


def published(log: TopicLog) -> list[Effect]:
    """The messages of a topic, each partition in order, as if each were an effect."""
    texts = (text.split(" ", 2) for _, text in sorted(log.names.items()))
    return [Effect(event_id, TOPICS[0], user, int(version)) for event_id, version, user in texts]


def in_the_outbox(connection: sa.Connection) -> list[Effect]:
    """The rows of the outbox, in order."""
    rows = connection.exec_driver_sql(
        "SELECT id, aggregatetype, aggregateid, payload FROM auth_events_outbox ORDER BY sequence"
    )
    return [Effect(event_id, topic, user, _event(payload).version) for event_id, topic, user, payload in rows]


def _event(message: bytes) -> AuthEvent:
    event = _READER.deserialize(message)
    assert isinstance(event, AuthEvent), message
    return event
