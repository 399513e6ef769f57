"""However a stream is delivered, a handler behind an inbox leaves the state that the stream would."""

from __future__ import annotations

import uuid
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

from immersiverse.auth.events import MemoryInbox, SqlInbox, Verdict
from inboxes.behaviour import event

TOPIC = "auth.events.user"
USERS = [b"user-1", b"user-2", b"user-3"]


class HandlerFailed(Exception):
    pass


@st.composite
def deliveries(draw):
    """A stream, and how it arrives: repeated, reordered, with handlers that fail at first."""
    users = draw(st.lists(st.sampled_from(USERS), max_size=12))
    versions = Counter()
    stream = []
    for user in users:
        versioned = draw(st.booleans())
        versions[user] += versioned
        stream.append((user, event(versions[user] if versioned else 0)))
    numbers = st.sampled_from(range(len(stream))) if stream else st.nothing()
    extra = draw(st.lists(st.tuples(numbers, st.booleans()), max_size=20)) if stream else []
    arriving = draw(st.permutations([*((number, False) for number in range(len(stream))), *extra]))
    return stream, [(*stream[number], fails) for number, fails in arriving]


def deliver(inbox, arriving, apply):
    """Deliver as a subscriber does: what fails is retried until it succeeds."""
    for user, arrived, fails in arriving:
        if fails:
            with suppress(HandlerFailed):
                handle(inbox, user, arrived, apply, fails=True)
        handle(inbox, user, arrived, apply, fails=False)


def handle(inbox, user, arrived, apply, *, fails):
    with inbox.admit(arrived, TOPIC, user) as admission:
        if admission.verdict is Verdict.FRESH:
            apply(admission.transaction, user, arrived)
        if fails:
            raise HandlerFailed


def last_versions(stream):
    last = {}
    for user, sent in stream:
        if sent.version:
            last[user] = sent.version
    return last


@given(deliveries())
def test_a_stream_delivered_in_any_way_leaves_the_same_state_in_a_database(arrival):
    stream, arriving = arrival
    deliver(INBOX, arriving, write)
    with ENGINE.begin() as connection:
        rows = connection.execute(text("SELECT user, version, id FROM effects ORDER BY place")).all()
        for table in ("effects", "auth_events_handled", "auth_events_versions"):
            connection.execute(text(f"DELETE FROM {table}"))
    assert_same_state(stream, rows)


@given(deliveries())
def test_a_stream_delivered_in_any_way_leaves_the_same_state_in_memory(arrival):
    """In memory nothing rolls back, so a handler that fails must fail before its effect."""
    stream, arriving = arrival
    rows = []
    quiet = [(user, arrived, False) for user, arrived, _ in arriving]
    deliver(
        MemoryInbox(), quiet, lambda _, user, arrived: rows.append((user, arrived.version, arrived.event_id))
    )
    assert_same_state(stream, rows)


def write(connection, user, arrived):
    row = {"user": user, "version": arrived.version, "id": arrived.event_id}
    connection.execute(text("INSERT INTO effects (user, version, id) VALUES (:user, :version, :id)"), row)


def assert_same_state(stream, rows):
    """The last effect of each user is its last version; no effect came twice, and none was a step back."""
    versions = {}
    for user, version, _ in rows:
        if version:
            assert version > versions.get(user, 0)
            versions[user] = version
    assert versions == last_versions(stream)
    ids = [event_id for *_, event_id in rows]
    assert len(ids) == len(set(ids))
    assert {sent.event_id for _, sent in stream if not sent.version} <= set(ids)


ENGINE = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
INBOX = SqlInbox(ENGINE, uuid.uuid4().hex)


@pytest.fixture(autouse=True, scope="module")
def _tables():
    INBOX.create_tables()
    with ENGINE.begin() as connection:
        connection.execute(
            text("CREATE TABLE effects (place INTEGER PRIMARY KEY, user BLOB, version INTEGER, id TEXT)")
        )
    yield
    ENGINE.dispose()
