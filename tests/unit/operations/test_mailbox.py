"""What is remembered of a dead letter topic while it is read."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.operations.dead_letters import LetterId
from immersiverse.auth.events.operations.keepsake import Keepsake
from immersiverse.auth.events.operations.markers import MarkedLetters, marked_letter, marker_of
from immersiverse.auth.events.operations.suggestions import did_you_mean
from unit.operations.letters import death, letter, message


def marker(of, partition=0, **lies):
    made = marker_of(letter(offset=of, partition=partition), redrives=1, partition=2, offset=7)
    parts = {"headers": list(made.headers), "key": made.key, "value": made.value, "offset": 99}
    return message(**{**parts, "partition": made.partition, **lies})


def test_a_marker_names_the_letter_before_it_in_its_partition():
    assert marked_letter(marker(12)) == LetterId(0, 12)
    assert marked_letter(marker(12, partition=2)) == LetterId(2, 12)


@pytest.mark.parametrize(
    "claims",
    [
        message(key=None),
        message(key=b"auth-events-redriven/0-12", offset=99),  # a user may be called anything
        message(headers=[("auth-events-redriven", b"0-12")], offset=99),
        marker(12, key=b"auth-events-redriven/0-11"),
        marker(12, headers=[("auth-events-redriven", b"1-12")], key=b"auth-events-redriven/1-12"),
        marker(12, offset=12),
        marker(12, headers=[("auth-events-redriven", b"0-12"), *death()]),
        marker(12, headers=[*death(), ("auth-events-redriven", b"0-12")]),
        marker(12, headers=[("auth-events-redriven", b"all")], key=b"auth-events-redriven/all"),
    ],
)
def test_what_only_looks_like_a_marker_is_a_letter(claims):
    assert marked_letter(claims) is None


def test_marked_letters_are_those_that_markers_name():
    marked = MarkedLetters()
    for each in (marker(12), marker(3, partition=1), message(offset=4)):
        marked.note(each)
    names = [LetterId(0, 12), LetterId(1, 3), LetterId(0, 3), LetterId(0, 4), LetterId(2, 12)]
    assert [name in marked for name in names] == [True, True, False, False, False]


def test_a_few_messages_are_kept_for_a_second_look():
    keepsake = Keepsake()
    for offset in range(3):
        keepsake.add(message(offset=offset))
    assert [kept.offset() for kept in keepsake.messages or ()] == [0, 1, 2]


def test_of_too_many_none_is_kept():
    keepsake = Keepsake(room=10_000)
    for _ in range(3):
        keepsake.add(message(value=b"x" * 4_000))
    assert keepsake.messages is None


def test_headers_count_as_well():
    keepsake = Keepsake(room=10_000)
    keepsake.add(message(headers=[("kafka_dlt-exception-stacktrace", b"x" * 20_000)]))
    assert keepsake.messages is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("auth.event.login", "; did you mean 'auth.events.login'?"),
        ("AUTH.EVENTS.USER", "; did you mean 'auth.events.user'?"),
        ("payments", ""),
    ],
)
def test_what_is_like_a_name_is_suggested(name, hint):
    assert did_you_mean(name, ["auth.events.login", "auth.events.user", "other"]) == hint
