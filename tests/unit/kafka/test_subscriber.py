"""What a subscriber refuses before it ever meets a broker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from immersiverse.auth.events import AuthEventDeserializer, ConfigurationError
from immersiverse.auth.events.guards import MemoryGuard
from immersiverse.auth.events.kafka.policy import Policy
from immersiverse.auth.events.kafka.subscriber import Subscriber

CONFIG = {"bootstrap.servers": "localhost:1", "group.id": "readers"}


def test_letting_later_events_pass_and_guarding_against_stale_ones_is_refused():
    with pytest.raises(ConfigurationError, match=r"policy.after_failure: let-pass with a guard"):
        Subscriber(
            CONFIG,
            deserializer=AuthEventDeserializer(),
            policy=Policy(after_failure="let-pass"),
            guard=MemoryGuard(),
        )


@pytest.mark.parametrize(
    ("policy", "guard"), [(Policy(after_failure="let-pass"), None), (Policy(), MemoryGuard())]
)
def test_either_of_them_is_accepted(policy: Policy, guard: MemoryGuard | None):
    assert Subscriber(CONFIG, deserializer=AuthEventDeserializer(), policy=policy, guard=guard)


def test_a_subscriber_that_nobody_told_what_to_read_says_so():
    with pytest.raises(ConfigurationError, match=r"topics"):
        Subscriber(CONFIG, deserializer=AuthEventDeserializer()).run()


@pytest.mark.parametrize("options", [{"backlog": 0}, {"commit_interval": 0}])
def test_one_that_would_never_begin_or_never_rest_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=r"must be more than 0"):
        Subscriber(CONFIG, deserializer=AuthEventDeserializer(), **options)


def test_a_policy_under_which_nothing_may_be_handled_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"policy.concurrency: must be 1 or more"):
        Policy(concurrency=0)


def test_words_that_mean_nothing_are_refused_with_those_that_do() -> None:
    unknown: Any = "ignore"
    with pytest.raises(ConfigurationError, match=r"unknown: is one of skip, dead-letter, not 'ignore'"):
        Subscriber(CONFIG, deserializer=AuthEventDeserializer(), unknown=unknown)
    with pytest.raises(ConfigurationError, match=r"policy.after_failure: is one of hold-back, let-pass"):
        Policy(after_failure=unknown)


def test_in_an_event_loop_it_says_how_to_run_there() -> None:
    async def run() -> None:
        Subscriber(CONFIG, ["auth.events.login"], deserializer=AuthEventDeserializer()).run()

    with pytest.raises(ConfigurationError, match=r"run_async"):
        asyncio.run(run())
