"""What an analytics service would make of a stream of events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from immersiverse.auth.events import catalog
from immersiverse.auth.events.v1.events_pb2 import LoginFailureReason

if TYPE_CHECKING:
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_PREFIX = "LOGIN_FAILURE_REASON_"


@dataclass(slots=True)
class Tally:
    """Counts events as they arrive.

    Attributes:
        by_type: events by short type name.
        failures: failed logins by reason, in words.
        first: when the earliest event happened, in seconds since 1970; 0 before the first.
        last: when the latest did.
    """

    by_type: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    first: int = 0
    last: int = 0

    def count(self, event: AuthEvent) -> None:
        """Take an event into account. One without a payload counts for nothing."""
        arm = event.WhichOneof("payload")
        if arm is None:
            return
        self.by_type[catalog.BY_ARM[arm].name] += 1
        if arm == "login_failed":
            self.failures[_in_words(event.login_failed.reason)] += 1
        seconds = event.timestamp.seconds
        self.first = min(self.first or seconds, seconds)
        self.last = max(self.last, seconds)

    @property
    def total(self) -> int:
        """All events."""
        return self.by_type.total()

    @property
    def success_rate(self) -> float:
        """Logins that succeeded among all that were tried, from 0 to 1; 0 if none was."""
        succeeded, failed = self.by_type["LoginSucceeded"], self.by_type["LoginFailed"]
        return succeeded / (succeeded + failed) if succeeded else 0.0

    @property
    def users(self) -> int:
        """Users who signed up and have not left."""
        return self.by_type["UserCreated"] - self.by_type["UserDeleted"]

    @property
    def days(self) -> float:
        """The time between the first event and the last, in days."""
        return (self.last - self.first) / 86_400


def _in_words(reason: int) -> str:
    known = LoginFailureReason.DESCRIPTOR.values_by_number.get(reason)
    if known is None:
        return f"reason {reason}"
    return known.name.removeprefix(_PREFIX).lower().replace("_", " ")
