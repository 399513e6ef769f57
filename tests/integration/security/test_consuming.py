"""What a subscriber's credentials and rights do to it: it ends and says why, and nothing is committed."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from immersiverse.auth.events import AuthEventDeserializer, ConsumeError, PinnedSchemas, Subscriber
from integration.running import eventually, logged_out, running
from integration.security.guarded import Guarded, User
from integration.security.impostors import (
    STRANGERS_BY_NAME,
    STRANGERS_TO_TLS,
    Impostor,
    config_of,
    each_of,
)

PROTOCOLS = pytest.mark.parametrize("protocol", ["classic", "consumer"])


def noting(subscriber: Subscriber) -> list[str]:
    """The sessions of the events that it handles."""
    seen: list[str] = []

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        seen.append(payload.session_id)

    return seen


def stranger(config: dict[str, Any], topic: str, group: str) -> Subscriber:
    deserializer = AuthEventDeserializer(PinnedSchemas(1))
    subscriber = Subscriber({**config, "group.id": group}, [topic], deserializer=deserializer)
    subscriber.on_any(lambda _event, _payload: None)
    return subscriber


@PROTOCOLS
def test_the_rights_to_read_its_topics_and_its_group_are_enough(
    guarded: Guarded, user: User, topic: str, group: str, protocol: str
) -> None:
    user.may("READ", topic).may("READ", group=group)
    guarded.publish(topic, logged_out(session="1"), logged_out(session="2"))
    subscriber = user.subscriber([topic], group, group_protocol=protocol)
    seen = noting(subscriber)
    with running(subscriber):
        eventually(lambda: guarded.committed(group, topic) == 2)
    assert seen == ["1", "2"]


@each_of(*STRANGERS_BY_NAME)
def test_whom_the_brokers_do_not_believe_ends_and_says_why(
    user: User, topic: str, group: str, impostor: Impostor, tmp_path: Path
) -> None:
    with pytest.raises(ConsumeError, match=impostor.says) as refusal:
        stranger(config_of(impostor, user, tmp_path), topic, group).run()
    assert refusal.value.code == "_AUTHENTICATION"
    assert user.password not in str(refusal.value)


@each_of(*STRANGERS_TO_TLS)
def test_a_subscriber_that_cannot_agree_on_tls_waits_and_the_log_says_why(
    user: User, topic: str, impostor: Impostor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(stranger(config_of(impostor, user, tmp_path), topic, "group")):
        eventually(lambda: "cannot use broker" in caplog.text and impostor.says in caplog.text)


@PROTOCOLS
def test_without_the_right_to_read_its_group_it_ends_with_nothing_committed(
    guarded: Guarded, user: User, topic: str, group: str, protocol: str
) -> None:
    user.may("READ", topic)
    guarded.publish(topic, logged_out())
    subscriber = user.subscriber([topic], group, group_protocol=protocol)
    seen = noting(subscriber)
    with pytest.raises(ConsumeError) as refusal:
        subscriber.run()
    assert refusal.value.code == "GROUP_AUTHORIZATION_FAILED"
    assert (seen, guarded.committed(group, topic)) == ([], None)


@PROTOCOLS
def test_without_the_right_to_read_one_of_its_topics_it_ends_and_loses_nothing_of_it(
    guarded: Guarded, user: User, topic: str, group: str, protocol: str
) -> None:
    forbidden = guarded.topic()
    user.may("READ", topic).may("READ", group=group)
    guarded.publish(forbidden, logged_out(session="kept"))
    subscriber = user.subscriber([topic, forbidden], group, group_protocol=protocol)
    seen = noting(subscriber)
    with pytest.raises(ConsumeError) as refusal:
        subscriber.run()
    assert refusal.value.code == "TOPIC_AUTHORIZATION_FAILED"
    assert (seen, guarded.committed(group, forbidden)) == ([], None)
    user.may("READ", forbidden)
    with running(subscriber):
        eventually(lambda: guarded.committed(group, forbidden) == 1)
    assert seen == ["kept"]


@pytest.mark.parametrize("kind", ["topic", "group"])
def test_a_right_that_is_taken_away_ends_it_with_what_it_handled_committed(
    guarded: Guarded, user: User, topic: str, group: str, kind: str
) -> None:
    user.may("READ", topic).may("READ", group=group)
    guarded.publish(topic, logged_out(session="1"))
    subscriber = user.subscriber([topic], group, session_timeout_ms=1_500, heartbeat_interval_ms=300)
    noting(subscriber)
    with ThreadPoolExecutor(1) as thread:
        ending = thread.submit(subscriber.run)
        eventually(lambda: guarded.committed(group, topic) == 1)
        guarded.forbid(user.name, "READ", kind, {"topic": topic, "group": group}[kind])
        error = ending.exception(timeout=60)
    assert isinstance(error, ConsumeError)
    assert error.code == f"{kind.upper()}_AUTHORIZATION_FAILED"
    assert guarded.committed(group, topic) == 1


def test_a_user_may_subscribe_by_plain_as_well(guarded: Guarded, plain_user: User, topic: str) -> None:
    group = f"group-{uuid.uuid4()}"
    plain_user.may("READ", topic).may("READ", group=group)
    guarded.publish(topic, logged_out(session="1"))
    subscriber = plain_user.subscriber([topic], group)
    seen = noting(subscriber)
    with running(subscriber):
        eventually(lambda: seen == ["1"])
