"""Whether what arrives keeps the order of each user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events import catalog

if TYPE_CHECKING:
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class OrderWatch:
    """Compares each event's version with the last one of its user on its topic.

    Attributes:
        late: events that did not come after all earlier ones of their user.
    """

    def __init__(self) -> None:
        self.late = 0
        self._versions: dict[tuple[str, str], int] = {}
        self._users: set[str] = set()

    @property
    def users(self) -> int:
        """How many users were seen."""
        return len(self._users)

    def see(self, event: AuthEvent) -> None:
        """Take an event into account; one that is unversioned has no order."""
        arm = event.WhichOneof("payload")
        if arm is None or not event.version:
            return
        user = getattr(event, arm).user_id
        place = (user, catalog.BY_ARM[arm].topic)
        if event.version <= self._versions.get(place, 0):
            self.late += 1
        else:
            self._versions[place] = event.version
        self._users.add(user)
