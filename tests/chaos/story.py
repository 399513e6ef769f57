"""What the publisher publishes: an endless story of a few users, each event with its user's next version."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import AuthEvent, LoginFailed, LoginSucceeded, UserUpdated, catalog, new_event
from immersiverse.auth.events.v1.events_pb2 import LoginFailureReason

USERS = tuple(f"user-{number}" for number in range(40))
TOPICS = (catalog.BY_MESSAGE[LoginSucceeded].topic, catalog.BY_MESSAGE[UserUpdated].topic)
Stream = tuple[str, str]
"""A topic and a user: where order holds."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One event, small enough for a journal, from which it can be made again to the letter.

    Attributes:
        user: whose it is.
        version: its place among the user's events, from 1.
        event_id: its id.
        micros: when it happened, in microseconds since 1970.
    """

    user: str
    version: int
    event_id: str
    micros: int

    @property
    def stream(self) -> Stream:
        """The stream in which its order holds."""
        return TOPICS[self.version % 3 == 0], self.user

    def event(self) -> AuthEvent:
        """The event itself, the same each time."""
        time = Timestamp()
        time.FromMicroseconds(self.micros)
        return new_event(
            self._payload(time),
            source="/chaos",
            version=self.version,
            timestamp=time,
            event_id=self.event_id,
        )

    def _payload(self, time: Timestamp) -> Message:
        match self.version % 3:
            case 0:
                mask = FieldMask(paths=["username"])
                name = f"name-{self.version}"
                return UserUpdated(user_id=self.user, updated_at=time, changed_fields=mask, username=name)
            case 1:
                return LoginSucceeded(user_id=self.user, login_time=time, ip_address="192.0.2.1")
            case _:
                wrong = LoginFailureReason.LOGIN_FAILURE_REASON_INVALID_CREDENTIALS
                return LoginFailed(user_id=self.user, failed_at=time, reason=wrong)
