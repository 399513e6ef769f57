"""What a redrive sent to one consumer group: subscribers of others pass it by."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from confluent_kafka import Message

from immersiverse.auth.events.kafka.record import Record
from immersiverse.auth.events.observability.hooks import Dropped
from scheduling import TOPIC, Stage, record

CREATE_TIME, LOG_APPEND_TIME = 1, 2
WHOLE_SECOND = 1_748_772_930_000


def redriven(offset: int, *groups: str, timestamp: tuple[int, int] = (CREATE_TIME, WHOLE_SECOND)) -> Record:
    """An event as a redrive sends it to these groups; the test's own is group-1."""
    first = record(offset)
    message = Message(
        topic=TOPIC,
        partition=0,
        offset=offset,
        key=first.key(),
        value=first.value(),
        headers=[("auth-events-redrive-group", group.encode()) for group in groups],
        timestamp=timestamp,
    )
    return cast("Record", message)


async def handled(*records: Record) -> tuple[list[str], list[object], dict[int, int]]:
    """Which events were handled, what hooks were notified of, and what may be committed."""
    sessions: list[str] = []
    details: list[object] = []
    scheduling = Stage(lambda _, payload: sessions.append(payload.session_id), hooks=[details.append])
    await scheduling.handle(*records)
    commits = scheduling.commits()
    await scheduling.scheduler.close()
    return sessions, details, commits


def test_an_event_for_another_group_is_passed_by_and_committed():
    sessions, details, commits = asyncio.run(handled(record(0), redriven(1, "group-2"), record(2)))
    assert sessions == ["0", "2"]
    assert Dropped(TOPIC, "LoggedOut", "other-group") in details
    assert commits == {0: 3}


@pytest.mark.parametrize("groups", [(), ("group-1",), ("group-2", "group-1")])
def test_an_event_for_this_group_or_for_all_is_handled(groups):
    sessions, details, _ = asyncio.run(handled(redriven(0, *groups)))
    assert sessions == ["0"]
    assert not any(isinstance(detail, Dropped) for detail in details)


def test_a_time_that_the_broker_sets_hides_no_header():
    others = redriven(0, "group-2", timestamp=(LOG_APPEND_TIME, WHOLE_SECOND + 1))
    assert asyncio.run(handled(others, record(1)))[0] == ["1"]


def test_what_cannot_be_read_is_passed_by_too():
    broken = Message(
        topic=TOPIC, partition=0, offset=0, key=b"u-1", value=b"\xff",
        headers=[("auth-events-redrive-group", b"group-2")], timestamp=(CREATE_TIME, WHOLE_SECOND),
    )  # fmt: skip
    sessions, details, commits = asyncio.run(handled(cast("Record", broken)))
    assert (sessions, commits) == ([], {0: 1})
    assert Dropped(TOPIC, "tombstone", "other-group") in details
