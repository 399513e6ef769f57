"""Which dead letters somebody means. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from immersiverse.auth.events.operations.dead_letters import DeadLetter


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Accepts letters that fit all that is given.

    Attributes:
        topic: the topic that they came from; any if empty.
        error: a part of the error's class name or message, in any case; any if empty.
        user: whose events; anybody's if empty.
        since: not put aside before this moment, in milliseconds since 1970 in UTC.
        until: put aside before this moment.
    """

    topic: str = ""
    error: str = ""
    user: str = ""
    since: int | None = None
    until: int | None = None

    def accepts(self, letter: DeadLetter) -> bool:
        """Whether a letter fits."""
        return (
            (not self.topic or letter.topic == self.topic)
            and (not self.user or letter.user == self.user)
            and self.error.lower() in f"{letter.error}\n{letter.reason}".lower()
            and (self.since is None or letter.timestamp >= self.since)
            and (self.until is None or letter.timestamp < self.until)
        )
