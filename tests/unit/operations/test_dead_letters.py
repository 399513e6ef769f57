"""Dead letters read back."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.operations.dead_letters import LetterId, original_headers, read_letter
from immersiverse.auth.events.operations.newest import Newest
from unit.operations.letters import PREFIX, death, letter, message


def test_a_letter_tells_where_it_came_from_and_why_it_died():
    found = letter()
    assert (found.topic, found.partition, found.offset) == ("auth.events.login", 3, 5_000_000_000)
    assert (found.group, found.error, found.error_name) == (
        "analytics",
        "builtins.TimeoutError",
        "TimeoutError",
    )
    assert (found.reason, found.stack_trace) == ("geo lookup took 5 s", "Traceback ...")
    assert (found.attempts, found.redrives, found.timestamp) == (5, 0, 1_000)
    assert (found.key, found.value) == (b"user-1", b"\x00v")


def test_a_message_without_such_headers_is_a_letter_of_unknown_origin():
    found = read_letter(message(headers=None, key=None, value=None))
    assert (found.topic, found.partition, found.offset, found.error) == ("", -1, -1, "")
    assert (found.attempts, found.redrives, found.user, found.value) == (0, 0, "", None)


@pytest.mark.parametrize("value", [b"", b"\x01", b"lots!", b"-1", b"\xff" * 9])
def test_numbers_that_are_none_are_unknown(value):
    headers = [(f"{PREFIX}original-partition", value), ("auth-events-redrives", value)]
    found = read_letter(message(headers=headers))
    assert (found.partition, found.redrives) == (-1, 0)


def test_numbers_in_digits_are_read_too():
    found = read_letter(message(headers=[(f"{PREFIX}original-offset", b"42")]))
    assert found.offset == 42


def test_of_repeated_headers_the_newest_counts():
    older = [(f"{PREFIX}original-topic", b"older")]
    assert read_letter(message(headers=[*older, *death("newer")])).topic == "newer"


def test_the_user_is_the_subject_or_else_the_key():
    assert letter().user == "user-1"
    assert letter(headers=[*death(), ("ce_subject", b"user-2")]).user == "user-2"


def test_what_a_message_had_before_its_death_remains_in_order_with_repeats():
    own = (("a", b"1"), ("b", None), ("a", b"2"))
    headers = [own[0], ("auth-events-redrives", b"1"), own[1], *death(), own[2]]
    assert original_headers(read_letter(message(headers=headers)).headers) == own


@pytest.mark.parametrize("text", ["0-12", "auth.events.dlq-0-12", "my-own-dlq-0-12"])
def test_an_id_may_name_its_topic(text):
    assert LetterId.parse(text) == LetterId(0, 12)


@pytest.mark.parametrize("text", ["", "12", "a-b", "0-", "-12", "0-1x", "0-²"])
def test_what_is_no_id_is_none(text):
    assert LetterId.parse(text) is None


def test_the_newest_of_many_are_kept_oldest_first():
    kept = Newest(2)
    for at in (30, 10, 40, 20):
        kept.add(letter(at=at, offset=at))
    assert [found.timestamp for found in kept.oldest_first()] == [30, 40]
    assert kept.seen == 4
