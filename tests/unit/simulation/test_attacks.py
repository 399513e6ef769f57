"""Attacks are labelled, and the service answers them."""

from __future__ import annotations

from collections import defaultdict

import pytest

from immersiverse.auth.events.events import payload_of
from immersiverse.auth.events.v1 import events_pb2 as v1

KINDS = {"brute-force", "distributed-brute-force", "credential-stuffing", "account-takeover"}


@pytest.fixture(scope="module")
def attacks(labelled):
    """The payloads of each attack."""
    found = defaultdict(list)
    for event, attack in labelled:
        if attack:
            found[attack].append(payload_of(event))
    return found


def test_every_kind_of_attack_occurs_and_each_has_its_own_number(attacks):
    assert {attack.kind for attack in attacks} == KINDS
    assert sorted(attack.number for attack in attacks) == list(range(1, len(attacks) + 1))


def test_whatever_comes_from_attackers_is_labelled_and_nothing_that_users_do(labelled):
    for event, attack in labelled:
        payload = payload_of(event)
        if isinstance(payload, v1.LoginSucceeded | v1.LoginFailed | v1.PasswordResetRequested):
            assert payload.ip_address.startswith("203.0.113.") == bool(attack)


def test_every_detection_of_the_service_is_of_a_labelled_attack(labelled):
    for event, attack in labelled:
        if event.HasField("brute_force_detected"):
            assert attack.kind in KINDS - {"account-takeover"}


def test_suspicious_logins_are_of_both_kinds_so_that_a_detector_can_err(labelled):
    logins, labels = {}, set()
    for event, attack in labelled:
        if event.HasField("login_succeeded"):
            logins[event.event_id] = event.login_succeeded
        elif event.HasField("suspicious_login"):
            labels.add(attack.kind if attack else "")
            login = logins[event.suspicious_login.login_event_id]
            assert login.session_id == event.suspicious_login.session_id
            assert login.ip_address == event.suspicious_login.ip_address
            if v1.SUSPICIOUS_SIGNAL_NEW_DEVICE in event.suspicious_login.signals:
                assert login.new_device
    assert {"", "account-takeover"} <= labels


def test_an_attack_is_detected_after_as_many_failures_as_it_says(attacks):
    for attack, payloads in attacks.items():
        failures = 0
        for payload in payloads:
            failures += isinstance(payload, v1.LoginFailed)
            if isinstance(payload, v1.BruteForceDetected):
                assert failures <= payload.attempts, attack
                assert failures >= payload.attempts - 2, attack  # stolen passwords that were right


def test_a_guessed_account_is_locked_and_its_attacker_refused(attacks):
    locked = 0
    for attack, payloads in attacks.items():
        refused = ""
        for payload in payloads:
            locked += isinstance(payload, v1.AccountLocked)
            if isinstance(payload, v1.BlacklistAdded):
                refused = payload.subject.removesuffix("0/24")
            elif refused and isinstance(payload, v1.LoginFailed):
                assert payload.ip_address.startswith(refused)
                assert payload.reason == v1.LOGIN_FAILURE_REASON_BLACKLISTED
        assert bool(refused) == (attack.kind in {"brute-force", "credential-stuffing"})
    assert locked
