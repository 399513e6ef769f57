"""What becomes of dead letters when they are sent back."""

from __future__ import annotations

import json

import pytest

from immersiverse.auth.events.operations.dead_letters import LetterId
from immersiverse.auth.events.operations.letter_filter import LetterFilter
from immersiverse.auth.events.operations.markers import marked_letter, marker_of
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
    assert marked_letter(marker.headers) == LetterId(2, 7)
    assert json.loads(marker.value) == {
        "letter": "2-7",
        "topic": "auth.events.login",
        "partition": 0,
        "offset": 99,
        "redrives": 1,
    }


def test_letters_are_no_markers():
    assert marked_letter(letter().headers) is None
