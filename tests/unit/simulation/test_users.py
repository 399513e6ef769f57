"""What happens to one simulated user is consistent."""

from __future__ import annotations

from immersiverse.auth.events.events import event_type_of, payload_of
from immersiverse.auth.events.v1 import events_pb2 as v1


def test_a_user_is_created_first_and_nothing_follows_deletion(by_user):
    deleted = 0
    for events in by_user:
        types = [event_type_of(event).name for event in events]
        assert types[0] == "UserCreated"
        assert types.count("UserCreated") == 1
        assert "UserDeleted" not in types[:-1]
        deleted += types[-1] == "UserDeleted"
    assert deleted


def test_versions_count_the_events_of_each_user(by_user):
    for events in by_user:
        assert [event.version for event in events] == list(range(1, len(events) + 1))


def test_only_open_sessions_end_and_only_once(by_user):
    for events in by_user:
        began = {}
        for payload in map(payload_of, events):
            match payload:
                case v1.LoginSucceeded():
                    began[payload.session_id] = payload.login_time
                case v1.LoggedOut() if payload.session_id:
                    assert began.pop(payload.session_id) == payload.session_began_at
                case v1.LoggedOut():
                    assert began
                    began.clear()
                case v1.UserDeleted():
                    assert not began


def test_revoked_sessions_end_at_once_for_the_same_reason(by_user):
    revoked = 0
    for events in by_user:
        payloads = list(map(payload_of, events))
        for place, payload in enumerate(payloads):
            if isinstance(payload, v1.SessionRevoked):
                revoked += 1
                ended = payloads[place + 1 : place + 1 + max(1, len(payload.session_ids))]
                assert [each.session_id for each in ended] == (list(payload.session_ids) or [""])
                assert {each.reason for each in ended} == {payload.reason}
    assert revoked


def test_a_locked_account_refuses_logins_and_says_so(by_user):
    locks = unlocks = 0
    for events in by_user:
        locked = False
        for payload in map(payload_of, events):
            match payload:
                case v1.AccountLocked():
                    assert not locked
                    locked, locks = True, locks + 1
                case v1.AccountUnlocked():
                    assert locked
                    locked, unlocks = False, unlocks + 1
                case v1.LoginSucceeded():
                    assert not locked
                case v1.LoginFailed():
                    assert (payload.reason == v1.LOGIN_FAILURE_REASON_ACCOUNT_LOCKED) == locked
    assert locks
    assert unlocks


def test_a_new_password_ends_all_sessions_but_the_one_that_asked_for_it(by_user):
    ended = kept = 0
    for events in by_user:
        open_sessions, asking = set(), None
        for payload in map(payload_of, events):
            if asking is not None and not isinstance(payload, v1.SessionRevoked | v1.LoggedOut):
                assert open_sessions <= {asking}
                asking = None
            match payload:
                case v1.PasswordChanged():
                    asking = payload.session_id
                    kept += bool(asking)
                case v1.LoginSucceeded():
                    open_sessions.add(payload.session_id)
                case v1.LoggedOut():
                    if payload.reason == v1.LOGOUT_REASON_PASSWORD_CHANGED:
                        ended += 1
                        assert not asking or payload.session_id not in {asking, ""}
                    open_sessions = open_sessions - {payload.session_id} if payload.session_id else set()
    assert ended
    assert kept


def test_a_lock_after_failures_ends_when_the_failure_said(by_user):
    expired = 0
    for events in by_user:
        until, announced = None, None
        for payload in map(payload_of, events):
            match payload:
                case v1.LoginFailed():
                    announced = payload.locked_until
                case v1.AccountLocked(reason=v1.ACCOUNT_LOCK_REASON_FAILED_LOGINS):
                    until = payload.locked_until
                    assert until == announced
                case v1.AccountUnlocked(reason=v1.ACCOUNT_UNLOCK_REASON_EXPIRED):
                    expired += 1
                    assert payload.unlocked_at.seconds >= until.seconds
    assert expired


def test_failures_in_a_row_are_counted(by_user):
    for events in by_user:
        failures = 0
        for payload in map(payload_of, events):
            match payload:
                case v1.LoginFailed():
                    failures += 1
                    assert payload.consecutive_failures == failures
                case v1.LoginSucceeded() | v1.AccountUnlocked():
                    failures = 0


def test_only_what_was_linked_and_agreed_to_ends(by_user):
    for events in by_user:
        linked, consents = set(), set()
        for payload in map(payload_of, events):
            match payload:
                case v1.PlatformConnected():
                    linked.add(payload.platform_user_id)
                case v1.PlatformDisconnected():
                    linked.remove(payload.platform_user_id)
                case v1.ConsentGranted():
                    assert payload.purpose not in consents
                    consents.add(payload.purpose)
                case v1.ConsentWithdrawn():
                    consents.remove(payload.purpose)
                case v1.UserDeleted():
                    assert not linked


def test_factors_are_asked_for_while_they_are_enrolled(by_user):
    used = 0
    for events in by_user:
        factors = {}
        for payload in map(payload_of, events):
            match payload:
                case v1.MfaEnrolled():
                    factors[payload.method] = payload.credential_id
                case v1.MfaRemoved():
                    assert factors.pop(payload.method) == payload.credential_id
                    assert payload.was_last == (not factors)
                case v1.LoginSucceeded():
                    assert set(payload.additional_factors) <= factors.keys()
                    assert bool(payload.additional_factors) == bool(factors)
                    used += len(payload.additional_factors)
    assert used
