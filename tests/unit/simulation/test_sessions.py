"""Sessions of the simulated world begin and end as sessions do."""

from __future__ import annotations

from immersiverse.auth.events.events import event_type_of, payload_of
from immersiverse.auth.events.v1 import events_pb2 as v1
from unit.simulation.lives import by_user, told_of


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
