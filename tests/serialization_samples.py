"""Events that several tests look at."""

from __future__ import annotations

from typing import Final

import orjson
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.v1 import events_pb2 as v1

TIME: Final = Timestamp(seconds=1_748_772_930, nanos=123_456_000)
EVENT_ID: Final = "01972b2c-9a3b-7c4d-8e5f-0123456789ab"

CREATED: Final = v1.AuthEvent(
    event_id=EVENT_ID,
    timestamp=TIME,
    source="/services/auth",
    version=7,
    user_created=v1.UserCreated(user_id="u-42", username="ada", email="ada@example.com", created_at=TIME),
)
FAILED: Final = v1.AuthEvent(
    event_id=EVENT_ID,
    timestamp=TIME,
    login_failed=v1.LoginFailed(
        ip_address="203.0.113.7",
        attempted_identifier_hash="00ff",
        failed_at=TIME,
        reason=v1.LOGIN_FAILURE_REASON_UNKNOWN_ACCOUNT,
    ),
)


def minimal_json(event: v1.AuthEvent) -> bytes:
    """An event as JSON with the specification's three fields only, as the first producers wrote it."""
    document = orjson.loads(write_json(event))
    return orjson.dumps({name: document[name] for name in ("eventType", "timestamp", "payload")})
