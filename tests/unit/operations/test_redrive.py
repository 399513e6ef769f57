"""What becomes of dead letters when they are sent back."""

from __future__ import annotations

import json

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.operations.dead_letters import LetterId
from immersiverse.auth.events.operations.letter_filter import LetterFilter
from immersiverse.auth.events.operations.markers import marker_of
from immersiverse.auth.events.operations.redrive import Fate, Redrive, redriven
from unit.operations.letters import death, letter

TOPICS = {"auth.events.login", "__consumer_offsets"}
EVERYTHING = Redrive(LetterFilter())


def redrives(count):
    return [*death(), ("auth-events-redrives", str(count).encode())]


def test_a_letter_goes_back_as_the_message_that_it_was():
    headers = [("ce_id", b"1"), ("ce_id", b"2"), *death()]
    went = redriven(letter(headers=headers))
    assert (went.topic, went.key, went.value) == ("auth.events.login", b"user-1", b"\x00v")
    assert went.headers == (("ce_id", b"1"), ("ce_id", b"2"), ("auth-events-redrives", b"1"))


def test_the_count_of_redrives_grows_and_is_one_header():
    went = redriven(letter(headers=redrives(1)))
    assert went.headers == (("auth-events-redrives", b"2"),)
    assert went.redrives == 2


def test_a_tombstone_without_a_key_goes_back_as_such():
    went = redriven(letter(key=None, value=None))
    assert (went.key, went.value) == (None, None)


@pytest.mark.parametrize(("count", "fate"), [(0, Fate.REDRIVE), (2, Fate.REDRIVE), (3, Fate.WORN_OUT)])
def test_a_letter_goes_back_three_times_at_most(count, fate):
    assert EVERYTHING.fate(letter(headers=redrives(count)), (), TOPICS) is fate


def test_what_went_back_before_stays():
    assert EVERYTHING.fate(letter(), {LetterId(0, 12)}, TOPICS) is Fate.DONE
    assert EVERYTHING.fate(letter(), {LetterId(0, 11), LetterId(1, 12)}, TOPICS) is Fate.REDRIVE


@pytest.mark.parametrize("topic", ["", "gone", "__consumer_offsets"])
def test_a_letter_without_a_topic_to_go_to_stays(topic):
    assert EVERYTHING.fate(letter(headers=death(topic)), (), TOPICS) is Fate.HOMELESS


def test_what_the_filter_leaves_out_stays():
    other = Redrive(LetterFilter(user="user-2"))
    assert other.fate(letter(), (), TOPICS) is Fate.FILTERED


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (LetterFilter(), True),
        (LetterFilter(topic="auth.events.login"), True),
        (LetterFilter(topic="auth.events"), False),
        (LetterFilter(error="timeouterror"), True),
        (LetterFilter(error="Geo Lookup"), True),
        (LetterFilter(error="KeyError"), False),
        (LetterFilter(user="user-1"), True),
        (LetterFilter(user="user"), False),
        (LetterFilter(since=1_000, until=1_001), True),
        (LetterFilter(since=1_001), False),
        (LetterFilter(until=1_000), False),
        (LetterFilter(topic="auth.events.login", user="user-2"), False),
    ],
)
def test_a_filter_accepts_what_fits_all_that_is_given(wanted, fits):
    assert wanted.accepts(letter()) is fits


def test_a_marker_lies_beside_its_letter_and_names_it():
    marker = marker_of(letter(partition=2, offset=7), redrives=1, partition=0, offset=99)
    assert marker.partition == 2
    assert marker.key == b"auth-events-redriven/2-7"
    assert marker.headers == (("auth-events-redriven", b"2-7"),)
    assert json.loads(marker.value) == {
        "letter": "2-7",
        "topic": "auth.events.login",
        "partition": 0,
        "offset": 99,
        "redrives": 1,
    }


@pytest.mark.parametrize("topic", ["payments", "auth.events.dlq", "auth.event"])
def test_a_letter_goes_only_to_a_topic_of_the_contract_or_one_that_is_allowed(topic):
    found, exists = letter(headers=death(topic)), {topic}
    assert EVERYTHING.fate(found, (), exists) is Fate.HOMELESS
    assert EVERYTHING.reason(found, Fate.HOMELESS) == (
        f"{topic} is not a topic of the contract; --allow-topic {topic} lets it go there"
    )
    assert Redrive(LetterFilter(), allowed_topics=(topic,)).fate(found, (), exists) is Fate.REDRIVE
    assert Redrive(LetterFilter(), allowed_topics=("other",)).fate(found, (), exists) is Fate.HOMELESS


@pytest.mark.parametrize("topic", [*catalog.TOPICS, catalog.SINGLE_TOPIC])
def test_every_topic_of_either_routing_mode_takes_its_letters_back(topic):
    assert EVERYTHING.fate(letter(headers=death(topic)), (), {topic}) is Fate.REDRIVE
    assert EVERYTHING.fate(letter(headers=death(topic)), (), {"other"}) is Fate.HOMELESS


def test_no_permission_lets_a_letter_into_kafkas_own_topics():
    found = letter(headers=death("__consumer_offsets"))
    plan = Redrive(LetterFilter(), allowed_topics=("__consumer_offsets",))
    assert plan.fate(found, (), TOPICS) is Fate.HOMELESS
    assert plan.reason(found, Fate.HOMELESS) == "__consumer_offsets is one of Kafka's own topics"


def test_a_stub_stays_and_says_where_its_original_is():
    found = letter(headers=[*death(), ("auth-events-stub", b"1048000")], value=b"")
    assert EVERYTHING.fate(found, (), TOPICS) is Fate.STUB
    assert EVERYTHING.reason(found, Fate.STUB) == (
        "only a stub is here, its value of 1048000 bytes was too large; "
        "the original is auth.events.login-3-5000000000, until that topic's retention ends"
    )


def test_what_a_redrive_sends_carries_no_header_that_another_would_take_for_its_own():
    older = [("auth-events-redriven", b"0-0"), *death()]  # as releases before this one kept it
    assert redriven(letter(headers=older)).headers == (("auth-events-redrives", b"1"),)
