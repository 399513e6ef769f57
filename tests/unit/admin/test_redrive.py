"""Which dead letters a redrive sends, as what, and how fast."""

from __future__ import annotations

import json

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterFilter, DeadLetterId, marker_for
from immersiverse.auth.events.admin.dead_letters.redrive import (
    RateLimit,
    RedrivePlan,
    RedriveStatus,
    redrive_headers,
)
from unit.admin.samples import dead_letter, dead_letter_headers

TOPICS = {"auth.events.login", "__consumer_offsets"}
EVERYTHING = RedrivePlan(DeadLetterFilter())


def redrives(count):
    return [*dead_letter_headers(), ("auth-events-redrives", str(count).encode())]


def status(found, done=(), topics=TOPICS, plan=EVERYTHING):
    return plan.decide(found, done, topics)[0]


def test_original_headers_are_sent_with_a_count_of_redrives_and_the_group():
    headers = [("ce_id", b"1"), ("ce_id", b"2"), *dead_letter_headers()]
    sent = redrive_headers(dead_letter(headers=headers))
    assert sent[:2] == (("ce_id", b"1"), ("ce_id", b"2"))
    assert sent[2:] == (("auth-events-redrives", b"1"), ("auth-events-redrive-group", b"analytics"))


def test_the_count_of_redrives_grows_and_is_one_header():
    sent = redrive_headers(dead_letter(headers=redrives(1)), all_groups=True)
    assert sent == (("auth-events-redrives", b"2"),)


def test_the_group_of_an_earlier_redrive_is_not_sent():
    headers = [("auth-events-redrive-group", b"other"), *dead_letter_headers()]
    assert redrive_headers(dead_letter(headers=headers), all_groups=True) == (("auth-events-redrives", b"1"),)


def test_a_dead_letter_that_names_no_group_is_sent_to_all_or_stays():
    found = dead_letter(headers=[("kafka_dlt-original-topic", b"auth.events.login")])
    assert EVERYTHING.decide(found, (), TOPICS) == (
        RedriveStatus.NO_GROUP,
        "no header names its consumer group; to send it to every group: --all-groups",
    )
    assert status(found, plan=RedrivePlan(DeadLetterFilter(), all_groups=True)) is RedriveStatus.REDRIVE


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, RedriveStatus.REDRIVE), (2, RedriveStatus.REDRIVE), (3, RedriveStatus.MAX_REDRIVES)],
)
def test_a_dead_letter_is_redriven_three_times_at_most(count, expected):
    assert status(dead_letter(headers=redrives(count))) is expected


def test_what_was_redriven_before_stays():
    assert status(dead_letter(), {DeadLetterId(0, 12)}) is RedriveStatus.DONE
    others = {DeadLetterId(0, 11), DeadLetterId(1, 12)}
    assert status(dead_letter(), others) is RedriveStatus.REDRIVE


@pytest.mark.parametrize("topic", ["", "gone", "__consumer_offsets"])
def test_a_dead_letter_without_a_topic_to_go_to_stays(topic):
    found = dead_letter(headers=dead_letter_headers(topic))
    assert status(found) is RedriveStatus.NO_ORIGIN_TOPIC


def test_what_the_filter_leaves_out_stays():
    other = RedrivePlan(DeadLetterFilter(user="user-2"))
    assert status(dead_letter(), plan=other) is RedriveStatus.FILTERED


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (DeadLetterFilter(), True),
        (DeadLetterFilter(topic="auth.events.login"), True),
        (DeadLetterFilter(topic="auth.events"), False),
        (DeadLetterFilter(error="timeouterror"), True),
        (DeadLetterFilter(error="Geo Lookup"), True),
        (DeadLetterFilter(error="KeyError"), False),
        (DeadLetterFilter(user="user-1"), True),
        (DeadLetterFilter(user="user"), False),
        (DeadLetterFilter(group="analytics"), True),
        (DeadLetterFilter(group="analytic"), False),
        (DeadLetterFilter(since=1_000, until=1_001), True),
        (DeadLetterFilter(since=1_001), False),
        (DeadLetterFilter(until=1_000), False),
        (DeadLetterFilter(topic="auth.events.login", user="user-2"), False),
    ],
)
def test_a_filter_accepts_what_matches_all_criteria(wanted, fits):
    assert wanted.accepts(dead_letter()) is fits


def test_a_marker_names_its_dead_letter_and_where_that_was_sent():
    key, value, headers = marker_for(dead_letter(partition=2, offset=7), partition=0, offset=99)
    assert key == b"auth-events-redriven/2-7"
    assert headers == (("auth-events-redriven", b"2-7"),)
    assert json.loads(value) == {
        "deadLetter": "2-7",
        "topic": "auth.events.login",
        "partition": 0,
        "offset": 99,
        "redrives": 1,
    }


@pytest.mark.parametrize("topic", ["payments", "auth.events.dlq", "auth.event"])
def test_only_topics_of_the_contract_and_allowed_ones_are_written_to(topic):
    found = dead_letter(headers=dead_letter_headers(topic))
    assert EVERYTHING.decide(found, (), {topic}) == (
        RedriveStatus.NO_ORIGIN_TOPIC,
        f"{topic} is not a topic of the contract; to send it there: --allow-topic {topic}",
    )
    allowing, other = (RedrivePlan(DeadLetterFilter(), allowed_topics=(name,)) for name in (topic, "other"))
    assert status(found, topics={topic}, plan=allowing) is RedriveStatus.REDRIVE
    assert status(found, topics={topic}, plan=other) is RedriveStatus.NO_ORIGIN_TOPIC


@pytest.mark.parametrize("topic", [*catalog.TOPICS, catalog.SINGLE_TOPIC])
def test_topics_of_both_routing_modes_are_written_to(topic):
    found = dead_letter(headers=dead_letter_headers(topic))
    assert EVERYTHING.decide(found, (), {topic}) == (RedriveStatus.REDRIVE, "")
    missing = f"{topic} does not exist, or is the dead letter topic"
    assert EVERYTHING.decide(found, (), {"other"}) == (RedriveStatus.NO_ORIGIN_TOPIC, missing)


def test_internal_topics_of_kafka_cannot_be_allowed():
    found = dead_letter(headers=dead_letter_headers("__consumer_offsets"))
    plan = RedrivePlan(DeadLetterFilter(), allowed_topics=("__consumer_offsets",))
    reason = "__consumer_offsets is one of Kafka's internal topics"
    assert plan.decide(found, (), TOPICS) == (RedriveStatus.NO_ORIGIN_TOPIC, reason)


def test_a_stub_stays_and_says_where_its_original_is():
    found = dead_letter(headers=[*dead_letter_headers(), ("auth-events-stub", b"1048000")], value=b"")
    reason = (
        "only a stub is here: its value of 1048000 bytes was too large; "
        "the original is auth.events.login-3-5000000000, until that topic's retention ends"
    )
    assert EVERYTHING.decide(found, (), TOPICS) == (RedriveStatus.STUB, reason)


def test_a_marker_header_is_not_sent():
    older = [("auth-events-redriven", b"0-0"), *dead_letter_headers()]  # older releases kept it
    assert redrive_headers(dead_letter(headers=older), all_groups=True) == (("auth-events-redrives", b"1"),)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.mark.parametrize(("rate", "batch"), [(5, 1), (40, 4), (100_000, 200), (None, 200)])
def test_a_rate_decides_how_many_are_sent_at_once(rate, batch):
    assert RateLimit(rate).batch == batch


def test_a_rate_spaces_out_what_is_sent():
    clock, sent = Clock(), []
    limit = RateLimit(40, clock=clock, sleep=clock.sleep)
    for _ in range(5):
        limit.wait(4)
        sent.append(clock.now)
    assert sent == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_a_delay_is_not_followed_by_a_burst():
    clock = Clock()
    limit = RateLimit(1, clock=clock, sleep=clock.sleep)
    limit.wait(1)
    clock.now = 60.0
    limit.wait(1)
    limit.wait(1)
    assert clock.now == 61.0


@pytest.mark.parametrize(("rate", "messages"), [(None, 9), (1, 0)])
def test_without_a_rate_or_without_messages_nothing_waits(rate, messages):
    clock = Clock()
    limit = RateLimit(rate, clock=clock, sleep=clock.sleep)
    for _ in range(3):
        limit.wait(messages)
    assert clock.now == 0.0
