"""A subscriber without the right to write dead letters skips nothing: it waits for the right, and says so."""

from __future__ import annotations

from typing import Any

import pytest

from integration.running import eventually, logged_out, running
from integration.security.guarded import Guarded, User


@pytest.mark.parametrize(
    "writes_elsewhere",
    [
        pytest.param(True, id="the brokers refuse the dead letter"),
        pytest.param(
            False, id="the brokers refuse the producer"
        ),  # who may write nowhere may not be idempotent
    ],
)
def test_without_the_right_to_write_dead_letters_an_event_stays_uncommitted_until_it_is_given(  # noqa: PLR0913, PLR0917 - fixtures
    guarded: Guarded,
    user: User,
    topic: str,
    dead_letter_topic: str,
    group: str,
    caplog: pytest.LogCaptureFixture,
    *,
    writes_elsewhere: bool,
) -> None:
    user.may("READ", topic).may("READ", group=group)
    if writes_elsewhere:
        user.may("WRITE", guarded.topic())
    guarded.publish(topic, logged_out("good"), logged_out("bad"), logged_out("good", "2"))
    subscriber = user.subscriber([topic], group, dead_letter_topic=dead_letter_topic)
    seen: list[str] = []

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        seen.append(payload.user_id)
        if payload.user_id == "bad":
            raise ValueError

    complaint = f"cannot write a dead letter to {dead_letter_topic}"
    reasons = [] if writes_elsewhere else ["Cluster authorization failed"]
    with running(subscriber):
        eventually(lambda: all(reason in _said(caplog, complaint) for reason in reasons))
        eventually(lambda: _said(caplog, complaint).count(complaint) > 2)
        eventually(lambda: guarded.committed(group, topic) == 1)
        assert guarded.end(dead_letter_topic) == 0
        user.may("WRITE", dead_letter_topic)
        eventually(lambda: guarded.committed(group, topic) == 3)
    assert seen == ["good", "bad", "good"]
    (dead_letter,) = guarded.read(dead_letter_topic)
    assert dead_letter.key() == b"bad"
    assert "offset not committed" in _said(caplog, complaint)


def _said(caplog: pytest.LogCaptureFixture, what: str) -> str:
    errors = (record.getMessage() for record in caplog.records if record.levelname == "ERROR")
    return "\n".join(line for line in errors if what in line)


def test_a_subscriber_that_waits_for_the_right_to_write_dead_letters_can_be_stopped(
    guarded: Guarded, user: User, topic: str, dead_letter_topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    group = f"group-of-{topic}"
    user.may("READ", topic).may("READ", group=group)
    guarded.publish(topic, logged_out("good"), logged_out("bad"))
    subscriber = user.subscriber([topic], group, dead_letter_topic=dead_letter_topic)

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        if payload.user_id == "bad":
            raise ValueError

    with running(subscriber):
        eventually(lambda: _said(caplog, dead_letter_topic))
    assert (guarded.committed(group, topic), guarded.end(dead_letter_topic)) == (1, 0)
