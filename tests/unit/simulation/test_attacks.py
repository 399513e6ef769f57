"""Attackers of the simulated world are noticed by what they do."""

from __future__ import annotations

from immersiverse.auth.events.events import payload_of
from immersiverse.auth.events.v1 import events_pb2 as v1
from unit.simulation.lives import told_of


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
