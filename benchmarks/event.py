"""The event that everything is measured on: a login with every field set."""

from __future__ import annotations

from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.v1 import events_pb2 as v1

TOPIC: Final = "auth.events.login"

EVENT: Final = v1.AuthEvent(
    event_id="0197c5a1-3f5e-7b21-9d04-6a1e8c2f7b90",
    timestamp=Timestamp(seconds=1_751_360_400, nanos=482_917_000),
    source="/services/auth",
    version=42,
    actor=v1.Actor(kind=v1.ACTOR_KIND_USER, id="0197a9d2-11c4-7f0e-8b3a-95e2d7c4a016"),
    login_succeeded=v1.LoginSucceeded(
        user_id="0197a9d2-4b80-7c19-a2f6-3d5b1e9f8c47",
        ip_address="203.0.113.87",
        user_agent=(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/137.0.0.0 Safari/537.36"
        ),
        login_time=Timestamp(seconds=1_751_360_400, nanos=479_305_000),
        method=v1.AUTHENTICATION_METHOD_PLATFORM,
        session_id="0197c5a1-3f5d-70c8-b6e1-f24a9d8e3c55",
        additional_factors=[v1.AUTHENTICATION_METHOD_TOTP],
        platform="steam",
    ),
)
