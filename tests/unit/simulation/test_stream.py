"""The simulated world is repeatable, valid, and makes sense."""

from __future__ import annotations

import hashlib
import ipaddress
import subprocess
import sys
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.events import event_type_of, partition_key, payload_of
from immersiverse.auth.events.simulation import DEFAULT_START, Tally, simulate
from immersiverse.auth.events.v1 import events_pb2 as v1
from immersiverse.auth.events.validation import validate

DOCUMENTATION = [
    ipaddress.ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


@pytest.fixture(scope="module")
def world():
    return list(simulate(7, 10_000))


def digest(events):
    told = hashlib.sha256()
    for event in events:
        told.update(event.SerializeToString(deterministic=True))
    return told.hexdigest()


def by_user(events):
    lives = {}
    for event in events:
        if user_id := getattr(payload_of(event), "user_id", ""):
            lives.setdefault(user_id, []).append(event)
    return lives


def test_the_same_seed_tells_the_same_events_in_another_process():
    program = (
        "import sys, hashlib; from immersiverse.auth.events.simulation import simulate\n"
        "told = hashlib.sha256()\n"
        "for event in simulate(3, 2000): told.update(event.SerializeToString(deterministic=True))\n"
        "print(told.hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert said == {digest(simulate(3, 2_000))}


def test_another_seed_tells_another_story():
    assert digest(simulate(1, 100)) != digest(simulate(2, 100))


def test_a_shorter_stream_is_the_beginning_of_a_longer_one(world):
    assert list(simulate(7, 50)) == world[:50]


def test_asking_for_no_events_gives_none():
    assert list(simulate(7, 0)) == []


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_every_event_satisfies_the_contract(seed):
    for event in simulate(seed, 3_000):
        payload = payload_of(event)
        validate(payload)
        validate(event)
        assert partition_key(event)


@pytest.mark.parametrize("seed", range(6))
def test_every_type_of_event_occurs_within_the_first_few_thousand(seed):
    seen = {event_type_of(event).name for event in simulate(seed, 4_000)}
    assert seen == set(catalog.EVENT_TYPES)


def test_times_and_ids_increase_strictly(world):
    for earlier, later in pairwise(world):
        assert earlier.timestamp.ToNanoseconds() < later.timestamp.ToNanoseconds()
        assert earlier.event_id < later.event_id


def test_ids_are_uuids_of_version_7_that_hold_the_time(world):
    for event in world[:500]:
        event_id = uuid.UUID(event.event_id)
        assert (event_id.version, event_id.variant) == (7, uuid.RFC_4122)
        assert event_id.int >> 80 == event.timestamp.ToMilliseconds()


def test_the_world_begins_when_it_is_told_to():
    start = datetime(2031, 3, 5, 12, tzinfo=UTC)
    first = next(simulate(1, 1, start=start)).timestamp.ToDatetime(UTC)
    assert start < first < start + timedelta(hours=2)
    assert next(simulate(1, 1)).timestamp.ToDatetime(UTC) > DEFAULT_START


def test_versions_count_the_events_of_each_user(world):
    for events in by_user(world).values():
        assert [event.version for event in events] == list(range(1, len(events) + 1))


def test_events_about_nobody_are_unversioned(world):
    nobody = [event for event in world if not getattr(payload_of(event), "user_id", "")]
    assert nobody
    assert {event.version for event in nobody} == {0}


def test_a_life_begins_with_creation_and_nothing_follows_deletion(world):
    for events in by_user(world).values():
        types = [event_type_of(event).name for event in events]
        assert types[0] == "UserCreated"
        assert types.count("UserCreated") == 1
        assert "UserDeleted" not in types[:-1]


def test_only_sessions_that_began_end_and_only_once(world):
    for events in by_user(world).values():
        open_sessions = set()
        for event in events:
            payload = payload_of(event)
            if isinstance(payload, v1.LoginSucceeded):
                open_sessions.add(payload.session_id)
            elif isinstance(payload, v1.LoggedOut) and payload.session_id:
                open_sessions.remove(payload.session_id)
            elif isinstance(payload, v1.LoggedOut):
                assert open_sessions
                open_sessions.clear()
            elif isinstance(payload, v1.SessionRevoked):
                assert open_sessions
                assert open_sessions >= set(payload.session_ids)


def test_a_deleted_user_leaves_no_session_and_no_platform_behind(world):
    for events in by_user(world).values():
        if not events[-1].HasField("user_deleted"):
            continue
        linked, sessions = set(), set()
        for payload in map(payload_of, events):
            match payload:
                case v1.PlatformConnected():
                    linked.add(payload.platform_user_id)
                case v1.PlatformDisconnected():
                    linked.remove(payload.platform_user_id)
                case v1.LoginSucceeded():
                    sessions.add(payload.session_id)
                case v1.LoggedOut():
                    sessions = sessions - {payload.session_id} if payload.session_id else set()
        assert not linked
        assert not sessions


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


def told_of(events, kind):
    return [payload for payload in map(payload_of, events) if isinstance(payload, kind)]


def test_an_ended_session_says_when_it_began(world):
    for events in by_user(world).values():
        began = {login.session_id: login.login_time for login in told_of(events, v1.LoginSucceeded)}
        for ended in told_of(events, v1.LoggedOut):
            assert ended.HasField("session_began_at") == bool(ended.session_id)
            assert not ended.session_id or ended.session_began_at == began[ended.session_id]


def test_a_revoked_session_ends_at_once(world):
    revoked = 0
    for events in by_user(world).values():
        payloads = list(map(payload_of, events))
        for place, payload in enumerate(payloads):
            if not isinstance(payload, v1.SessionRevoked):
                continue
            revoked += 1
            ended = payloads[place + 1 : place + 1 + max(1, len(payload.session_ids))]
            assert [each.session_id for each in ended] == (list(payload.session_ids) or [""])
            assert {each.reason for each in ended} == {payload.reason}
    assert revoked


def test_a_new_password_leaves_no_session_but_the_one_that_asked_for_it(world):
    changed = 0
    for events in by_user(world).values():
        open_sessions, kept = set(), None
        for payload in map(payload_of, events):
            if kept is not None and not (isinstance(payload, v1.SessionRevoked | v1.LoggedOut)):
                assert open_sessions <= kept
                kept = None
            match payload:
                case v1.PasswordChanged():
                    changed += 1
                    assert not payload.session_id or payload.session_id in open_sessions
                    kept = {payload.session_id} - {""}
                case v1.LoginSucceeded():
                    open_sessions.add(payload.session_id)
                case v1.LoggedOut():
                    open_sessions = open_sessions - {payload.session_id} if payload.session_id else set()
    assert changed


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


def test_a_login_that_is_suspicious_for_its_new_device_is_from_one(world):
    logins = {event.event_id: event.login_succeeded for event in world if event.HasField("login_succeeded")}
    for suspicion in told_of(world, v1.SuspiciousLogin):
        if v1.SUSPICIOUS_SIGNAL_NEW_DEVICE in suspicion.signals:
            assert logins[suspicion.login_event_id].new_device
    assert 0.1 < sum(login.new_device for login in logins.values()) / len(logins) < 0.9


def test_addresses_of_attackers_belong_to_no_country(world):
    for kind in (v1.LoginSucceeded, v1.LoginFailed):
        for login in told_of(world, kind):
            about_nobody = not login.user_id
            attacked = login.ip_address.startswith("203.0.113.")
            assert bool(login.country_code) == (not attacked)
            assert attacked or not about_nobody


def test_some_users_choose_a_language(world):
    chosen = {created.locale for created in told_of(world, v1.UserCreated)}
    assert {"", "ko-KR", "de-DE"} < chosen
    assert any(updated.locale for updated in told_of(world, v1.UserUpdated))


def test_a_suspicious_login_follows_the_login_that_it_names(world):
    logins, suspicious = {}, 0
    for event in world:
        if event.HasField("login_succeeded"):
            logins[event.event_id] = event.login_succeeded
        elif event.HasField("suspicious_login"):
            suspicious += 1
            login = logins[event.suspicious_login.login_event_id]
            assert login.session_id == event.suspicious_login.session_id
            assert login.ip_address == event.suspicious_login.ip_address
    assert suspicious


def test_an_attack_is_detected_after_as_many_failures_as_it_says(world):
    detected = 0
    for position, event in enumerate(world):
        attack = event.brute_force_detected
        if not attack.attempts or attack.scope != v1.BRUTE_FORCE_SCOPE_ACCOUNT_AND_IP_ADDRESS:
            continue
        detected += 1
        attempts = [
            earlier
            for earlier in world[:position]
            if earlier.login_failed.ip_address == attack.ip_address
            and earlier.login_failed.user_id == attack.user_id
        ]
        assert len(attempts) == attack.attempts
        assert event.timestamp.seconds - attempts[0].timestamp.seconds < attack.window.seconds
    assert detected


def test_a_refused_address_gets_no_login(world):
    refused_until = {}
    for event in world:
        payload = payload_of(event)
        if isinstance(payload, v1.BlacklistAdded):
            if payload.subject_kind == v1.BLACKLIST_SUBJECT_KIND_IP_ADDRESS:
                refused_until[payload.subject] = payload.expires_at.seconds
        elif isinstance(payload, v1.LoginSucceeded):
            assert refused_until.get(payload.ip_address, 0) <= event.timestamp.seconds
    assert refused_until


def test_addresses_are_those_that_belong_to_nobody(world):
    addresses = {getattr(payload_of(event), "ip_address", "") for event in world} - {""}
    assert len(addresses) > 100
    for address in map(ipaddress.ip_address, addresses):
        assert any(address in network for network in DOCUMENTATION)
        assert str(address) in addresses  # written in the one form of RFC 5952


def test_mails_go_to_example_com(world):
    emails = {getattr(payload_of(event), "email", "") for event in world} - {""}
    assert emails
    assert all(email.endswith("@example.com") for email in emails)


def test_most_logins_succeed_and_failures_have_many_reasons(world):
    tally = Tally()
    for event in world:
        tally.count(event)
    assert 0.7 < tally.success_rate < 0.97
    assert len(tally.failures) >= 8


def test_people_sleep():
    hours = Counter(
        (event.timestamp.seconds // 3_600 + 9) % 24
        for event in simulate(5, 20_000)
        if event.HasField("login_succeeded") and event.login_succeeded.ip_address.startswith("192.0.2.")
    )
    night, evening = sum(hours[hour] for hour in (2, 3, 4)), sum(hours[hour] for hour in (19, 20, 21))
    assert evening > 5 * night
