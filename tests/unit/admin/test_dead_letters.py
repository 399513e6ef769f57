"""Dead letters read back."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterId, read_dead_letter
from immersiverse.auth.events.admin.dead_letters.topic import newest
from unit.admin.samples import PREFIX, dead_letter, dead_letter_headers, message


def test_a_dead_letter_says_where_it_came_from_and_why():
    found = dead_letter()
    assert (found.topic, found.partition, found.offset) == ("auth.events.login", 3, 5_000_000_000)
    assert (found.group, found.error, found.error_name) == (
        "analytics",
        "builtins.TimeoutError",
        "TimeoutError",
    )
    assert (found.reason, found.stack_trace) == ("geo lookup took 5 s", "Traceback ...")
    assert (found.attempts, found.redrives, found.timestamp) == (5, 0, 1_000)
    assert (found.key, found.value) == (b"user-1", b"\x00v")


def test_a_message_without_such_headers_is_of_unknown_origin():
    found = read_dead_letter(message(headers=None, key=None, value=None))
    assert (found.topic, found.partition, found.offset, found.error) == ("", -1, -1, "")
    assert (found.attempts, found.redrives, found.user, found.value) == (0, 0, "", None)


@pytest.mark.parametrize("value", [b"", b"\x01", b"lots!", b"-1", b"\xff" * 9])
def test_malformed_numbers_are_unknown(value):
    headers = [(f"{PREFIX}original-partition", value), ("auth-events-redrives", value)]
    found = read_dead_letter(message(headers=headers))
    assert (found.partition, found.redrives) == (-1, 0)


def test_numbers_in_digits_are_read_too():
    found = read_dead_letter(message(headers=[(f"{PREFIX}original-offset", b"42")]))
    assert found.offset == 42


def test_the_last_of_repeated_headers_counts():
    older = [(f"{PREFIX}original-topic", b"older")]
    assert read_dead_letter(message(headers=[*older, *dead_letter_headers("newer")])).topic == "newer"


def test_the_user_is_the_subject_or_else_the_key():
    assert dead_letter().user == "user-1"
    assert dead_letter(headers=[*dead_letter_headers(), ("ce_subject", b"user-2")]).user == "user-2"


def test_original_headers_keep_their_order_and_repeats():
    own = (("a", b"1"), ("b", None), ("a", b"2"))
    headers = [own[0], ("auth-events-redrives", b"1"), own[1], *dead_letter_headers(), own[2]]
    assert read_dead_letter(message(headers=headers)).original_headers == own


@pytest.mark.parametrize("text", ["0-12", "auth.events.dlq-0-12", "my-own-dlq-0-12"])
def test_an_id_may_name_its_topic(text):
    assert DeadLetterId.parse(text) == DeadLetterId(0, 12)


@pytest.mark.parametrize("text", ["", "12", "a-b", "0-", "-12", "0-1x", "0-²"])
def test_a_malformed_id_is_none(text):
    assert DeadLetterId.parse(text) is None


def test_the_newest_are_kept_oldest_first_and_all_are_counted():
    found, total = newest((dead_letter(at=at, offset=at) for at in (30, 10, 40, 20)), 2)
    assert [each.timestamp for each in found] == [30, 40]
    assert total == 4
    assert newest(iter(()), 2) == ([], 0)
