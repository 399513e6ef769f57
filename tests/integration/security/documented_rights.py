"""The rights that docs/operations.md says are needed: tests give those and no others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from integration.security.guarded import Guarded, User

GUIDE = Path(__file__).parents[3] / "docs" / "operations.md"
_KINDS = ("topic", "topic", "group")


@dataclass(frozen=True)
class Right:
    """A right.

    Attributes:
        operation: Kafka's name of what it allows.
        kind: topic or group.
        column: which resource: 0 the events' topic, 1 the dead letter topic, 2 the group.
        name: the resource's name, if the guide says it.
    """

    operation: str
    column: int
    name: str = ""

    @property
    def kind(self) -> str:
        """What it is a right on."""
        return _KINDS[self.column]

    def __str__(self) -> str:
        return f"{self.operation} on the {('events', 'dead letters', 'group')[self.column]}"


def documented_rights(who: str) -> tuple[Right, ...]:
    """What the guide's table says that a client or command needs."""
    (row,) = re.findall(rf"^\| `{re.escape(who)}` \|(.*)\|$", GUIDE.read_text(), re.MULTILINE)
    cells = [cell.strip() for cell in row.split("|")]
    rights = [
        Right(operation, column, "".join(re.findall(r"`(.+)`", cell)))
        for column, cell in enumerate(cells)
        for operation in re.findall(r"[A-Z]{2,}", cell)
    ]
    assert rights, f"the guide gives no rights to {who}"
    return tuple(rights)


@dataclass(frozen=True)
class Scene:
    """Where a user works, with an event and a dead letter of it there.

    Attributes:
        guarded: the brokers.
        user: who works.
        topic: the events' topic.
        dead_letter_topic: the dead letter topic.
        group: the consumer group.
    """

    guarded: Guarded
    user: User
    topic: str
    dead_letter_topic: str
    group: str

    def give(self, *rights: Right) -> None:
        """Allow the user what the guide says."""
        resources = (self.topic, self.dead_letter_topic, self.group)
        for right in rights:
            name = right.name or resources[right.column]
            self.guarded.allow(self.user.name, right.operation, right.kind, name)
