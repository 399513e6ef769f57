"""The rights that docs/outbox.md lists suffice; with fewer an error says what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from immersiverse.auth.events import Outbox, OutboxTables, OutboxUnavailable
from immersiverse.auth.events.outbox.databases import open_outbox
from immersiverse.auth.events.outbox.set_aside import SetAside
from immersiverse.auth.events.outbox.status import status
from immersiverse.auth.events.outbox.tables import SHARDS
from outboxes import SERIALIZER, Target, user_deleted, wait_until

GUIDE = (Path(__file__).parents[3] / "docs" / "outbox.md").read_text()
ROLES = ("writer", "relay", "second_relay")
TABLES = OutboxTables()


@pytest.fixture
def roles(engine: sa.Engine) -> Iterator[dict[str, sa.Engine]]:
    """Engines of a writer, and of two relays, that have the rights that the guide lists."""
    (grants,) = re.findall(r"```sql\n(GRANT.*?)```", GUIDE, re.DOTALL)
    with engine.begin() as connection:
        for role in ROLES:
            connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        connection.exec_driver_sql(grants)
        connection.exec_driver_sql(
            re.sub(r"\brelay;", "second_relay;", re.sub(r".*TO writer;\n", "", grants))
        )
    engines = {role: sa.create_engine(engine.url.set(username=role)) for role in ROLES}
    yield engines
    for each in engines.values():
        each.dispose()
    with engine.begin() as connection:
        for role in ROLES:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")


def revoke(engine: sa.Engine, right: str, role: str) -> None:
    """Take a right from a role."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"REVOKE {right} FROM {role}")


def test_a_writer_adds_and_a_relay_relays(
    engine: sa.Engine, roles: dict[str, sa.Engine], kafka: Any, topic: str
) -> None:
    with roles["writer"].begin() as connection:
        added = Outbox(SERIALIZER).add_all(connection, [user_deleted("anna"), user_deleted("anna")])
    with engine.begin() as connection:  # for this test's topic: writers may not update
        connection.execute(sa.text("UPDATE auth_events_outbox SET aggregatetype = :topic"), {"topic": topic})
    target = Target(kafka.bootstrap, topic, roles["relay"])
    with target.relaying():
        assert target.ids(2) == [event.event_id for event in added]
        found = status(roles["relay"], TABLES)
        wait_until(lambda: status(roles["relay"], TABLES).backlog.rows == 0)
    assert found.findings == []
    assert SetAside(roles["relay"], TABLES).rows() == []


@pytest.mark.parametrize(
    "right",
    [
        "INSERT ON auth_events_outbox",
        "USAGE ON SEQUENCE auth_events_outbox_sequence",
        "SELECT ON auth_events_outbox_versions",
        "INSERT ON auth_events_outbox_versions",
        "UPDATE ON auth_events_outbox_versions",
    ],
)
def test_a_writer_needs_each_of_its_rights(
    engine: sa.Engine, roles: dict[str, sa.Engine], right: str
) -> None:
    revoke(engine, right, "writer")
    says = r"permission denied.*docs/outbox.md lists the rights"
    with roles["writer"].connect() as connection, pytest.raises(OutboxUnavailable, match=says):
        Outbox(SERIALIZER).add(connection, user_deleted("anna"))


@pytest.mark.parametrize(
    "right",
    [
        "SELECT ON auth_events_outbox",
        "SELECT ON auth_events_outbox_shards",
        "UPDATE ON auth_events_outbox_shards",
        "SELECT ON auth_events_outbox_relays",
        "INSERT ON auth_events_outbox_relays",
        "UPDATE ON auth_events_outbox_relays",
        "DELETE ON auth_events_outbox_relays",
    ],
)
def test_a_relay_needs_each_of_its_rights(engine: sa.Engine, roles: dict[str, sa.Engine], right: str) -> None:
    revoke(engine, right, "relay")
    with pytest.raises(OutboxUnavailable, match=r"permission denied.*docs/outbox.md lists the rights"):
        use(roles["relay"], "one")


def use(engine: sa.Engine, name: str) -> None:
    """Do what a relay does with its database."""
    outbox = open_outbox(engine, TABLES, name)
    try:
        outbox.renew()
        position = next(iter(outbox.held.values()))
        found = outbox.poll(position, list(outbox.held), 10)
        outbox.save(list(outbox.held), found.after)
    finally:
        outbox.close()


def test_a_silent_relay_of_another_role_keeps_its_shards_without_the_right_to_end_it(
    engine: sa.Engine, roles: dict[str, sa.Engine]
) -> None:
    silent = open_outbox(roles["relay"], TABLES, "silent")
    second = open_outbox(roles["second_relay"], TABLES, "second")
    try:
        silent.renew()
        with engine.begin() as connection:  # as if it had been frozen for long
            connection.exec_driver_sql(
                "UPDATE auth_events_outbox_relays SET seen_at = seen_at - interval '1 hour'"
            )
        with pytest.raises(OutboxUnavailable, match=r"permission denied to terminate|must be a member"):
            second.renew()
        with engine.begin() as connection:
            connection.exec_driver_sql("GRANT pg_signal_backend TO second_relay")

        def holds_all() -> bool:
            second._renewed = 0.0  # type: ignore[attr-defined]  # without waiting a second
            second.renew()
            return len(second.held) == SHARDS

        wait_until(holds_all)
    finally:
        silent.close()
        second.close()
