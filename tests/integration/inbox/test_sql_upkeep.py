"""Pruning, forgetting and upgrading a SQL inbox's tables on PostgreSQL, while others use them."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from immersiverse.auth.events import Forgotten, InboxUnavailable, SqlInbox, inbox_tables
from immersiverse.auth.events.v1.events_pb2 import AuthEvent, UserDeleted
from inboxes.behaviour import DUPLICATE, FRESH, KEY, STALE, TOPIC, event, verdict

OF_0_1_0 = (
    "CREATE TABLE auth_events_versions (consumer VARCHAR(255) NOT NULL, topic VARCHAR(249) NOT NULL, "
    "key BYTEA NOT NULL, version BIGINT NOT NULL, previous BIGINT NOT NULL, "
    "PRIMARY KEY (consumer, topic, key))"
)

WHEEL = next((Path(__file__).parents[2] / "golden" / "0.1.0").glob("*.whl"))
RELEASED = """
import sys
sys.path[:0] = sys.argv[1:3]  # the released code, and what it depends on
from sqlalchemy import create_engine
from immersiverse.auth.events.guards import SqlGuard
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

inbox = SqlGuard(create_engine(sys.argv[3]), "tests")
inbox.create_tables()
event = AuthEvent(event_id=sys.argv[4], version=int(sys.argv[5]))
with inbox.admit(event, sys.argv[6], b"user-1") as admission:
    print(admission.verdict.value)
"""


def fill(engine, count, days):
    """Ids and versions of some days ago."""
    tables, then = inbox_tables(), datetime.now(UTC) - timedelta(days=days)
    with engine.begin() as connection:
        connection.execute(
            tables.handled.insert(),
            [{"consumer": "tests", "event_id": str(n), "handled_at": then} for n in range(count)],
        )
        connection.execute(
            tables.versions.insert(),
            [
                {
                    "consumer": "tests", "topic": TOPIC, "key": str(n).encode(), "version": 5, "previous": 4,
                    "handled_at": then,
                }
                for n in range(count)
            ],
        )  # fmt: skip


def test_pruning_by_several_at_once_deletes_each_row_once(inbox, engine):
    fill(engine, 25_000, days=16)
    start = threading.Barrier(4)

    def prune(_):
        start.wait()
        return inbox.prune()

    with ThreadPoolExecutor(4) as pool:
        forgotten = list(pool.map(prune, range(4)))
    assert sum(each.ids for each in forgotten) == 25_000
    assert sum(each.versions for each in forgotten) == 25_000
    assert inbox.prune() == Forgotten()


def test_pruning_neither_waits_for_handlers_nor_deletes_versions_that_they_raise(inbox, engine):
    fill(engine, 2, days=16)
    with inbox.admit(event(version=6), TOPIC, b"0"):
        assert inbox.prune() == Forgotten(ids=2, versions=1)
    assert inbox.prune() == Forgotten()
    assert [verdict(inbox, event(version=5), TOPIC, key) for key in (b"0", b"1")] == [STALE, FRESH]


def test_tables_of_0_1_0_get_the_new_column_when_several_members_create_it_at_once(engine):
    with engine.begin() as connection:
        connection.execute(text(OF_0_1_0))
        connection.execute(
            text("INSERT INTO auth_events_versions VALUES ('tests', :topic, :key, 5, 4)"),
            {"topic": TOPIC, "key": KEY},
        )
    inbox, start = SqlInbox(engine, "tests"), threading.Barrier(6)

    def create(_):
        start.wait()
        inbox.create_tables()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(create, range(6)))
    assert inbox.prune() == Forgotten()
    assert [verdict(inbox, event(version)) for version in (5, 6)] == [STALE, FRESH]


def test_a_missing_column_is_an_outage_that_names_it(inbox, engine):
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE auth_events_versions DROP COLUMN handled_at"))
    with pytest.raises(InboxUnavailable, match=r"handled_at.*create_tables"):
        verdict(inbox, event(version=1))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE auth_events_versions ADD COLUMN handled_at TIMESTAMPTZ"))
    assert verdict(inbox, event(version=1)) is FRESH


def test_rows_without_a_time_count_from_the_first_pruning_in_any_number(inbox, engine):
    fill(engine, 12_000, days=16)
    with engine.begin() as connection:
        connection.execute(text("UPDATE auth_events_versions SET handled_at = NULL"))
    assert inbox.prune() == Forgotten(ids=12_000)
    with engine.connect() as connection:
        undated = text("SELECT count(*) FROM auth_events_versions WHERE handled_at IS NULL")
        assert connection.execute(undated).scalar() == 0
    assert inbox.prune() == Forgotten()


def test_forgetting_a_user_does_not_wait_for_handlers_of_others(inbox):
    first = event(version=5)
    verdict(inbox, first)
    with inbox.admit(event(version=5), TOPIC, b"user-2"):
        assert inbox.forget(KEY) == Forgotten(versions=1)
    assert [verdict(inbox, first), verdict(inbox, event(version=1))] == [DUPLICATE, FRESH]


@pytest.fixture
def released(tmp_path, postgres):
    """The verdict of 0.1.0 on a version, in tables that it creates where they are missing."""
    with zipfile.ZipFile(WHEEL) as wheel:
        wheel.extractall(tmp_path)

    def verdict_on(version):
        asked = (postgres.url, f"id-{version}", str(version), TOPIC)
        command = [sys.executable, "-S", "-c", RELEASED, tmp_path, sysconfig.get_path("purelib"), *asked]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return verdict_on


def test_members_of_0_1_0_and_of_this_version_share_the_tables(engine, released):
    assert released(5) == "fresh"
    inbox = SqlInbox(engine, "tests")
    inbox.create_tables()
    assert [verdict(inbox, event(version)) for version in (4, 6)] == [STALE, FRESH]
    assert [released(version) for version in (6, 7)] == ["stale", "fresh"]
    assert [verdict(inbox, event(version)) for version in (7, 8)] == [STALE, FRESH]


def scans(engine):
    """Number of sequential scans of the table of versions."""
    engine.dispose()  # statistics are reported when a connection ends
    with engine.connect() as connection:
        found = text("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'auth_events_versions'")
        return connection.execute(found).scalar()


def test_forgetting_a_user_and_pruning_use_an_index(inbox, engine):
    fill(engine, 50_000, days=0)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE auth_events_versions"))
    before = scans(engine)
    deleted = AuthEvent(event_id="erase", version=6, user_deleted=UserDeleted(erasure_required=True))
    assert verdict(inbox, deleted, TOPIC, b"7") is FRESH
    assert inbox.forget(b"8") == Forgotten(versions=1)
    assert inbox.prune() == Forgotten()
    assert scans(engine) == before


def test_a_user_is_forgotten_on_every_topic_and_others_are_kept(inbox):
    for topic in ("a.topic", TOPIC, "z.topic"):
        for key in (KEY, b"user-2"):
            verdict(inbox, event(version=5), topic, key)
    assert inbox.forget(KEY) == Forgotten(versions=3)
    assert inbox.forget(KEY) == Forgotten()
    assert verdict(inbox, event(version=4), "z.topic", b"user-2") is STALE


def test_many_events_of_a_user_in_a_day_change_the_index_of_times_once(inbox, engine):
    for version in range(1, 20):
        verdict(inbox, event(version), TOPIC, KEY)
    engine.dispose()
    with engine.connect() as connection:
        found = text(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'auth_events_versions'"
        )
        updated, within_the_page = connection.execute(found).one()
    assert updated == within_the_page == 18
