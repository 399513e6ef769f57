"""Deleting, softly and then for good, as long as nobody imports what goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry import refusals
from immersiverse.auth.events.embedded.registry.registration import FROZEN_MODES

if TYPE_CHECKING:
    from immersiverse.auth.events.embedded.registry.records import Version
    from immersiverse.auth.events.embedded.registry.store import Store


def delete_subject(store: Store, subject: str, *, permanent: bool) -> list[Version]:
    """Delete all versions of a subject; its own level and mode go at the soft delete.

    Raises:
        Refusal: 40401, 40404, 40405, 42205, 42206.
    """
    versions = store.versions(subject, deleted=permanent)
    if not store.versions(subject, deleted=True):
        raise refusals.subject_not_found(subject)
    if permanent and any(not version.deleted for version in versions):
        raise refusals.subject_not_soft_deleted(subject)
    if not versions:
        raise refusals.subject_soft_deleted(subject)
    _check(store, versions)
    if permanent:
        store.forget(versions)
        return versions
    store.hide(versions)
    store.levels.by_subject.pop(subject, None)
    store.modes.by_subject.pop(subject, None)
    return versions


def delete_version(store: Store, subject: str, number: int, *, permanent: bool) -> Version:
    """Delete one version of a subject.

    Raises:
        Refusal: 40401, 40402, 40406, 40407, 42205, 42206.
    """
    version = store.version(subject, number, deleted=True)
    if permanent and not version.deleted:
        raise refusals.version_not_soft_deleted(subject, version.number)
    if version.deleted and not permanent:
        raise refusals.version_soft_deleted(subject, version.number)
    _check(store, [version])
    (store.forget if permanent else store.hide)([version])
    return version


def _check(store: Store, versions: list[Version]) -> None:
    for version in versions:
        if store.modes.of(version.subject) in FROZEN_MODES:
            raise refusals.not_permitted(f"Subject {version.subject} is in read-only mode")
        if store.referrers(version):
            raise refusals.reference_exists(version.subject, version.number)
