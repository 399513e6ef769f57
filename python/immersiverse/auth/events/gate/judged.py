"""A change, with its verdict and where it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from immersiverse.auth.events.compatibility import Change


@dataclass(frozen=True, slots=True)
class JudgedChange:
    """A change with its verdict, and what was compared.

    Attributes:
        change: the change.
        against: what the earlier version is called, such as ``git#main`` or a subject's ``version 3``.
        file: the import path of the file that changed; empty where no .proto file was compared.
        subject: the registry's subject; empty outside one.
        view: the derived schema that was compared, such as ``JSON Schema``; empty for the contract itself.
        place: the path as people write it, such as ``LoginFailed.reason``.
        events: the events that it concerns.
    """

    change: Change
    against: str = ""
    file: str = ""
    subject: str = ""
    view: str = ""
    place: str = ""
    events: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """It as plain data, such as JSON takes."""
        return {
            **self.change.as_dict(),
            "file": self.file,
            "against": self.against,
            "subject": self.subject or None,
            "view": self.view or None,
            "place": self.place,
            "events": list(self.events),
        }
