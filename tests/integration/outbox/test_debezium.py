"""The same table under Debezium: what arrives is what the relay would have sent."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from immersiverse.auth.events import AuthEventDeserializer, Outbox, PinnedSchemas
from outboxes import SERIALIZER, Target, new_database, user_deleted, wait_until
from stack.debezium import debezium
from stack.postgres import postgres

_SETTINGS = Path(__file__).parents[3] / "deploy" / "debezium" / "outbox.properties"
_OWN = {"id", "__debezium.context.connectorName"}  # Debezium's own headers


@pytest.fixture
def logical() -> Iterator[sa.Engine]:
    """A database with an outbox and its publication, in a PostgreSQL that can replicate logically."""
    with postgres("wal_level=logical") as server, new_database(server.url) as engine:
        Outbox(SERIALIZER).create_all(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE PUBLICATION auth_events_outbox FOR TABLE auth_events_outbox "
                "WITH (publish = 'insert', publish_via_partition_root = true)"
            )
        yield engine


def settings(engine: sa.Engine, topic: str) -> dict[str, str]:
    """The documented settings, for this database and the test's topic."""
    parser = configparser.ConfigParser(interpolation=None, delimiters="=", strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names are case-sensitive
    parser.read_string("[connector]\n" + _SETTINGS.read_text())
    url = engine.url
    return {
        **parser["connector"],
        "database.hostname": str(url.host),
        "database.port": str(url.port),
        "database.user": str(url.username),
        "database.dbname": str(url.database),
        "transforms.outbox.route.topic.replacement": topic,
    }


def is_replicating(engine: sa.Engine) -> bool:
    """Whether the connector reads: it is a little later than its task runs."""
    with engine.connect() as connection:
        return bool(connection.execute(sa.text("SELECT active FROM pg_replication_slots")).scalar())


def test_debezium_sends_the_same(kafka: Any, topic: str, logical: sa.Engine) -> None:
    target = Target(kafka.bootstrap, topic, logical)
    with debezium(settings(logical, topic), target.bootstrap):
        wait_until(lambda: is_replicating(logical))
        added = []
        for number in range(50):
            with logical.begin() as connection:
                added.append(target.outbox.add(connection, user_deleted(f"user-{number % 7}")))
        messages = target.messages(50)
    sent = {dict(each.headers() or ())["ce_id"]: each for each in messages}
    assert len(sent) == len(messages) == 50
    read = AuthEventDeserializer(PinnedSchemas(7))
    for event in added:
        message, expected = sent[event.event_id.encode()], SERIALIZER.serialize(event)
        assert (message.key(), message.value()) == (expected.key, expected.value)
        headers = [(name, value) for name, value in message.headers() or () if value is not None]
        assert sorted(header for header in headers if header[0] not in _OWN) == sorted(expected.headers)
        assert read(message.value()) == event
