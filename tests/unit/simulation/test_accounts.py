"""Accounts of the simulated world are locked, confirmed and protected as accounts are."""

from __future__ import annotations

from collections import Counter

from immersiverse.auth.events.events import payload_of
from immersiverse.auth.events.v1 import events_pb2 as v1
from unit.simulation.lives import by_user, told_of


def test_nobody_logs_in_to_an_account_that_is_locked_or_suspended(world):
    for events in by_user(world).values():
        status = v1.ACCOUNT_STATUS_ACTIVE
        for event in events:
            if event.HasField("user_updated") and "status" in event.user_updated.changed_fields.paths:
                status = event.user_updated.status
            assert not (event.HasField("login_succeeded") and status != v1.ACCOUNT_STATUS_ACTIVE)


def test_failures_in_a_row_are_counted(world):
    for events in by_user(world).values():
        failures = 0
        for event in events:
            payload = payload_of(event)
            if isinstance(payload, v1.LoginFailed):
                failures += 1
                assert payload.consecutive_failures == failures
            elif isinstance(payload, v1.LoginSucceeded):
                failures = 0
            elif isinstance(payload, v1.UserUpdated) and payload.status == v1.ACCOUNT_STATUS_ACTIVE:
                failures = 0 if "status" in payload.changed_fields.paths else failures


def test_an_account_is_locked_and_unlocked_in_turn_and_its_status_says_the_same(world):
    locks = 0
    for events in by_user(world).values():
        status, locked_until = v1.ACCOUNT_STATUS_ACTIVE, None
        for event in events:
            payload = payload_of(event)
            match payload:
                case v1.UserUpdated() if "status" in payload.changed_fields.paths:
                    status = payload.status
                case v1.AccountLocked():
                    locks += 1
                    assert status == v1.ACCOUNT_STATUS_LOCKED
                    assert locked_until is None
                    locked_until = payload.locked_until
                case v1.AccountUnlocked():
                    assert status == v1.ACCOUNT_STATUS_ACTIVE
                    expired = payload.reason == v1.ACCOUNT_UNLOCK_REASON_EXPIRED
                    assert not expired or payload.unlocked_at.seconds >= locked_until.seconds
                    locked_until = None
    assert locks


def test_a_failure_says_until_when_the_account_is_locked(world):
    for events in by_user(world).values():
        payloads = list(map(payload_of, events))
        for place, payload in enumerate(payloads):
            if isinstance(payload, v1.AccountLocked) and payload.HasField("locked_until"):
                assert payload.reason == v1.ACCOUNT_LOCK_REASON_FAILED_LOGINS
                assert payloads[place - 2].locked_until == payload.locked_until  # the status lies between
            elif isinstance(payload, v1.LoginFailed) and payload.HasField("locked_until"):
                assert payload.failed_at.seconds <= payload.locked_until.seconds


def test_a_lock_ends_with_a_reset_that_was_asked_for_or_when_its_time_is_over(world):
    reasons = Counter()
    for events in by_user(world).values():
        resets = 0
        for payload in map(payload_of, events):
            match payload:
                case v1.PasswordResetRequested():
                    resets += 1
                case v1.AccountUnlocked():
                    reasons[payload.reason] += 1
                    assert resets or payload.reason == v1.ACCOUNT_UNLOCK_REASON_EXPIRED
    assert set(reasons) == {v1.ACCOUNT_UNLOCK_REASON_EXPIRED, v1.ACCOUNT_UNLOCK_REASON_PASSWORD_RESET}


def test_nothing_is_sent_to_whoever_has_no_account(world):
    asked = told_of(world, v1.PasswordResetRequested)
    assert {bool(each.user_id) for each in asked} == {True, False}
    for each in asked:
        assert each.HasField("expires_at") == bool(each.user_id) != bool(each.attempted_identifier_hash)


def test_an_address_that_is_confirmed_is_the_users(world):
    for events in by_user(world).values():
        address, verified = events[0].user_created.email, ""
        for payload in map(payload_of, events):
            if isinstance(payload, v1.EmailVerified):
                verified = payload.email
            elif isinstance(payload, v1.UserUpdated) and payload.email_verified:
                address = payload.email or address
                assert address == verified


def test_factors_are_asked_for_while_they_are_enrolled(world):
    used = 0
    for events in by_user(world).values():
        enrolled = {}
        for payload in map(payload_of, events):
            match payload:
                case v1.MfaEnrolled():
                    assert payload.method not in enrolled
                    enrolled[payload.method] = payload.credential_id
                case v1.MfaRemoved():
                    assert enrolled.pop(payload.method) == payload.credential_id
                    assert payload.was_last == (not enrolled)
                case v1.LoginSucceeded():
                    used += len(payload.additional_factors)
                    assert bool(payload.additional_factors) == bool(enrolled)
                    assert set(payload.additional_factors) <= set(enrolled)
    assert used


def test_only_consent_that_was_granted_is_withdrawn(world):
    withdrawn = 0
    for events in by_user(world).values():
        granted = set()
        for payload in map(payload_of, events):
            if isinstance(payload, v1.ConsentGranted):
                assert payload.purpose not in granted
                granted.add(payload.purpose)
            elif isinstance(payload, v1.ConsentWithdrawn):
                withdrawn += 1
                granted.remove(payload.purpose)
    assert withdrawn


def test_some_users_choose_a_language(world):
    chosen = {created.locale for created in told_of(world, v1.UserCreated)}
    assert {"", "ko-KR", "de-DE"} < chosen
    assert any(updated.locale for updated in told_of(world, v1.UserUpdated))
