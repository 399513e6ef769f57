"""Deleting, softly and then for good, as long as nobody imports what goes.

Source: confluentinc/schema-registry 8.3.0, ``deleteSubject`` and ``deleteSchemaVersion``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry import refusals
from immersiverse.auth.events.embedded.registry.permission import check_writable

if TYPE_CHECKING:
    from immersiverse.auth.events.embedded.registry.records import Version
    from immersiverse.auth.events.embedded.registry.store import Store


def delete_subject(store: Store, subject: str, *, permanent: bool) -> list[Version]:
    """Delete all versions of a subject; its own level and mode go when it goes for good.

    Raises:
        Refusal: 40401, 40404, 40405, 42205, 42206.
    """
    versions = store.versions(subject, deleted=permanent)
    if not store.versions(subject, deleted=True):
        raise refusals.subject_not_found(subject)
    if not versions:
        raise refusals.subject_soft_deleted(subject)
    check_writable(store, subject)
    for version in versions:
        if any(other.subject != subject for other in store.referrers(version, deleted=permanent)):
            raise refusals.reference_exists(subject, version.number)
        if permanent and not version.deleted:
            raise refusals.subject_not_soft_deleted(subject)
    (store.forget if permanent else store.hide)(versions)
    return versions


def delete_version(store: Store, subject: str, number: int, *, permanent: bool) -> Version:
    """Delete one version of a subject.

    Raises:
        Refusal: 40401, 40402, 40406, 40407, 42205, 42206.
    """
    version = store.version(subject, number, deleted=True)
    if version.deleted and not permanent:
        raise refusals.version_soft_deleted(subject, version.number)
    check_writable(store, subject)
    if store.referrers(version, deleted=permanent):
        raise refusals.reference_exists(subject, version.number)
    if permanent and not version.deleted:
        raise refusals.version_not_soft_deleted(subject, version.number)
    (store.forget if permanent else store.hide)([version])
    return version
