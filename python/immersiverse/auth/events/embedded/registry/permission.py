"""What a mode lets clients do.

Source: confluentinc/schema-registry 8.3.0, ``isReadOnlyMode`` and ``checkRegisterMode``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry.refusals import wrong_mode

if TYPE_CHECKING:
    from immersiverse.auth.events.embedded.registry.store import Store

MODES = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT")
FROZEN = {"READONLY", "READONLY_OVERRIDE"}


def check_writable(store: Store, subject: str | None) -> None:
    """Check that something under the subject, or with None of the whole registry, may be changed.

    Raises:
        Refusal: 42205.
    """
    if _mode(store, subject) in FROZEN:
        raise wrong_mode(subject, "in read-only")


def check_registration(store: Store, subject: str, *, with_id: bool) -> None:
    """Check that schemas are registered as the mode wants them: with an id in one, without one in the other.

    Raises:
        Refusal: 42205.
    """
    check_writable(store, subject)
    if with_id and not importing(store, subject):
        raise wrong_mode(subject, "not in import")
    if not with_id and importing(store, subject):
        raise wrong_mode(subject, "not in read-write")


def importing(store: Store, subject: str | None) -> bool:
    """Whether ids and versions are the client's to give, and nothing is judged."""
    return _mode(store, subject) == "IMPORT"


def _mode(store: Store, subject: str | None) -> str:
    return store.modes.everywhere if subject is None else store.modes.of(subject)
