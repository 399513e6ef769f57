"""Markers of redriven dead letters, and similar names."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterId, marker_for, redriven_id
from immersiverse.auth.events.admin.topics import did_you_mean
from unit.admin.samples import dead_letter, dead_letter_headers, message


def marker(of, partition=0, **lies):
    key, value, headers = marker_for(dead_letter(offset=of, partition=partition), partition=2, offset=7)
    parts = {"headers": list(headers), "key": key, "value": value, "offset": 99, "partition": partition}
    return message(**{**parts, **lies})


def test_a_marker_names_the_dead_letter_before_it_in_its_partition():
    assert redriven_id(marker(12)) == DeadLetterId(0, 12)
    assert redriven_id(marker(12, partition=2)) == DeadLetterId(2, 12)


@pytest.mark.parametrize(
    "claims",
    [
        message(key=None),
        message(key=b"auth-events-redriven/0-12", offset=99),  # a user id may be anything
        message(headers=[("auth-events-redriven", b"0-12")], offset=99),
        marker(12, key=b"auth-events-redriven/0-11"),
        marker(12, headers=[("auth-events-redriven", b"1-12")], key=b"auth-events-redriven/1-12"),
        marker(12, offset=12),
        marker(12, headers=[("auth-events-redriven", b"0-12"), *dead_letter_headers()]),
        marker(12, headers=[*dead_letter_headers(), ("auth-events-redriven", b"0-12")]),
        marker(12, headers=[("auth-events-redriven", b"all")], key=b"auth-events-redriven/all"),
    ],
)
def test_a_message_that_claims_to_be_a_marker_is_a_dead_letter(claims):
    assert redriven_id(claims) is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("auth.event.login", "; did you mean 'auth.events.login'?"),
        ("AUTH.EVENTS.USER", "; did you mean 'auth.events.user'?"),
        ("payments", ""),
    ],
)
def test_a_similar_name_is_suggested(name, hint):
    assert did_you_mean(name, ["auth.events.login", "auth.events.user", "other"]) == hint
