"""What a subscriber refuses before it ever meets a broker."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from immersiverse.auth.events import (
    AuthEventDeserializer,
    ConfigurationError,
    DeadLetters,
    LoginFailed,
    MemoryInbox,
    Retry,
)
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
from scheduling import Stage, record

CONFIG = {"bootstrap.servers": "localhost:1", "group.id": "readers"}


def test_letting_later_events_pass_and_guarding_against_stale_ones_is_refused():
    with pytest.raises(ConfigurationError, match=r"policy.after_failure: let-pass with an inbox"):
        Subscriber(
            CONFIG,
            deserializer=AuthEventDeserializer(),
            policy=Policy(after_failure="let-pass"),
            inbox=MemoryInbox(),
        )


@pytest.mark.parametrize(
    ("policy", "inbox"), [(Policy(after_failure="let-pass"), None), (Policy(), MemoryInbox())]
)
def test_either_of_them_is_accepted(policy: Policy, inbox: MemoryInbox | None):
    assert Subscriber(CONFIG, deserializer=AuthEventDeserializer(), policy=policy, inbox=inbox)


def test_a_subscriber_without_topics_says_so():
    with pytest.raises(ConfigurationError, match=r"topics"):
        Subscriber(CONFIG, deserializer=AuthEventDeserializer()).run()


@pytest.mark.parametrize("options", [{"backlog": 0}, {"commit_interval": 0}])
def test_one_that_would_never_begin_or_never_rest_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"policy.*must be more than 0"):
        Policy(**options)


def test_a_policy_under_which_nothing_may_be_handled_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"policy.concurrency: must be 1 or more"):
        Policy(concurrency=0)


def test_words_that_mean_nothing_are_refused_with_those_that_do() -> None:
    unknown: Any = "ignore"
    with pytest.raises(
        ConfigurationError, match=r"policy.unknown: is one of skip, dead-letter, not 'ignore'"
    ):
        Policy(unknown=unknown)
    with pytest.raises(ConfigurationError, match=r"policy.after_failure: is one of hold-back, let-pass"):
        Policy(after_failure=unknown)


def test_in_an_event_loop_it_says_how_to_run_there() -> None:
    async def run() -> None:
        Subscriber(CONFIG, ["auth.events.login"], deserializer=AuthEventDeserializer()).run()

    with pytest.raises(ConfigurationError, match=r"run_async"):
        asyncio.run(run())


@pytest.mark.parametrize(
    "topics",
    [
        ["auth.events.dlq"],
        ["auth.events.login", "auth.events.dlq"],
        [r"^auth\.events\..*"],
        ["^auth"],
        ["^.*dlq$"],
        ["^auth[.]events[.][[:lower:]]+$"],
        ["^[[:alpha:][:punct:]]+$"],
        ["my.own.dlq"],
        ["auth.events.user", r"^my\."],
    ],
)
def test_a_subscription_that_names_or_matches_a_dead_letter_topic_is_refused(topics: list[str]) -> None:
    for dead_letters in (DeadLetters(CONFIG), DeadLetters(CONFIG, topic="my.own.dlq")):
        if "my" in str(topics) and dead_letters.topic != "my.own.dlq":
            continue
        with pytest.raises(ConfigurationError, match=r"topics: .* reads the dead letter topic .*dlq"):
            Subscriber(CONFIG, topics, deserializer=AuthEventDeserializer(), dead_letters=dead_letters)


@pytest.mark.parametrize(
    "topic", ["auth.events.login", r"^auth\.events\.[a-c]", "^my.own.dlq2", "auth.events.d.q"]
)
def test_a_subscription_beside_the_dead_letter_topics_is_accepted(topic: str) -> None:
    dead_letters = DeadLetters(CONFIG, topic="my.own.dlq")
    assert Subscriber(CONFIG, [topic], deserializer=AuthEventDeserializer(), dead_letters=dead_letters)


def test_dead_letters_among_the_events_that_are_handled_are_refused() -> None:
    dead_letters = DeadLetters(CONFIG, topic="auth.events.login")
    subscriber = Subscriber(CONFIG, deserializer=AuthEventDeserializer(), dead_letters=dead_letters)
    subscriber.on(LoginFailed)(lambda _event, _payload: None)
    with pytest.raises(ConfigurationError, match=r"auth\.events\.login' reads the dead letter topic"):
        subscriber.run()


class Hostile(Exception):
    """An error with words from a message."""

    def __repr__(self) -> str:
        return "\x1b[2J\x9b\u202e" + "x" * 1_000_000


class Speechless(Exception):
    """An error that has no words."""

    def __repr__(self) -> str:
        raise RuntimeError("no words for it")


@pytest.mark.parametrize(
    ("error", "said"), [(Hostile(), r"\u001b[2J\u009b\u202exxx"), (Speechless(), "Speechless")]
)
def test_a_log_says_what_a_handler_raised_without_control_characters_and_with_an_end(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_event: Any, _payload: Any) -> None:
        raise error

    async def handle() -> None:
        stage = Stage(fail, Policy(retry=Retry(attempts=2, first=0.0, jitter=0.0)))
        await stage.handle(record(0))
        await stage.scheduler.close()

    asyncio.run(handle())
    messages = [entry.getMessage() for entry in caplog.records]
    assert [said in message for message in messages] == [True, True]
    assert all(len(message) < 2_000 and message.isprintable() for message in messages)


def test_a_handler_whose_topic_is_not_read_is_refused_at_the_start() -> None:
    subscriber = Subscriber(CONFIG, ["auth.events.user"], deserializer=AuthEventDeserializer())
    subscriber.on(LoginFailed)(lambda _event, _payload: None)
    with pytest.raises(ConfigurationError, match=r"LoginFailed would never be called: .* auth.events.login$"):
        subscriber.run()


@pytest.mark.parametrize(
    "topics",
    [
        [],
        ["auth.events.login"],
        ["auth.events"],  # all events in one topic
        ["auth.events.user", "elsewhere"],  # a topic of a service's own may hold any event
        ["auth.events.user", "^auth.events.log"],
    ],
)
def test_a_handler_whose_topic_may_be_read_is_accepted(topics: list[str]) -> None:
    subscriber = Subscriber(CONFIG, topics, deserializer=AuthEventDeserializer())
    subscriber.on(LoginFailed)(lambda _event, _payload: None)
    subscriber.stop()
    subscriber.run()


def test_the_handler_for_the_rest_needs_no_topic_of_each_event() -> None:
    subscriber = Subscriber(CONFIG, ["auth.events.user"], deserializer=AuthEventDeserializer())
    subscriber.on_any(lambda _event, _payload: None)
    subscriber.stop()
    subscriber.run()


def test_a_failed_event_is_logged_with_its_type_id_and_attempt_and_a_dead_letter_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_event: Any, _payload: Any) -> None:
        raise OSError("the database is down")

    async def handle() -> None:
        stage = Stage(fail, Policy(retry=Retry(attempts=2, first=0.0, jitter=0.0)))
        await stage.handle(record(7), record(8, "u-2", value=b"nonsense"))
        await stage.scheduler.close()

    asyncio.run(handle())
    (attempt,) = [entry for entry in caplog.records if entry.levelno == logging.WARNING]
    unread, dead_letter = [entry for entry in caplog.records if entry.levelno == logging.ERROR]
    assert attempt.getMessage().startswith(
        "LoggedOut 0-7 at auth.events.login[0]@7: attempt 1 failed, next in"
    )
    assert dead_letter.getMessage().startswith(
        "LoggedOut 0-7 at auth.events.login[0]@7: dead-lettered after 2 att"
    )
    assert dead_letter.exc_info is not None
    assert dead_letter.exc_info[2] is not None
    assert unread.getMessage().startswith("auth.events.login[0]@8: dead-lettered after 0 attempts")
    assert not unread.exc_info
