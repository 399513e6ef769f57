"""Looking a schema up under a subject, and registering it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility import Level
from immersiverse.auth.events.embedded.registry.records import Version
from immersiverse.auth.events.embedded.registry.refusals import (
    incompatible,
    invalid_schema,
    not_permitted,
    schema_not_found,
    subject_not_found,
)
from immersiverse.auth.events.embedded.registry.schemas import content_of
from immersiverse.auth.events.embedded.registry.verdicts import objections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from immersiverse.auth.events.embedded.registry.records import JSON, Content
    from immersiverse.auth.events.embedded.registry.store import Store

FROZEN_MODES = {"READONLY", "READONLY_OVERRIDE"}


def look_up(store: Store, subject: str, body: Mapping[str, JSON], *, deleted: bool) -> Version:
    """The subject's version that holds this schema.

    Raises:
        Refusal: 40401, 40403, 42201.
    """
    if not store.versions(subject, deleted=deleted):
        raise subject_not_found(subject)
    found = _held(store, subject, content_of(body, store), deleted=deleted)
    if found is None:
        raise schema_not_found()
    return found


def register(store: Store, subject: str, body: Mapping[str, JSON]) -> Version:
    """The subject's version that holds this schema, made if there is none.

    Raises:
        Refusal: 409, 42201, 42205.
    """
    content = content_of(body, store)
    held = _held(store, subject, content, deleted=False)
    if held is not None and _wanted(body, "id") in {None, held.schema_id}:
        return held
    importing = _check_mode(store, subject, body)
    if not importing:
        _check_level(store, subject, content)
    return _added(store, subject, content, body)


def _held(store: Store, subject: str, content: Content, *, deleted: bool) -> Version | None:
    schema_id = store.id_of(content.guid)
    versions = reversed(store.versions(subject, deleted=deleted))
    return next((version for version in versions if version.schema_id == schema_id), None)


def _check_mode(store: Store, subject: str, body: Mapping[str, JSON]) -> bool:
    """Whether ids are the client's to give, which one mode allows."""
    mode = store.modes.of(subject)
    if mode in FROZEN_MODES:
        raise not_permitted(f"Subject {subject} is in read-only mode")
    if mode != "IMPORT" and _wanted(body, "id") is not None:
        raise not_permitted(f"Subject {subject} is not in import mode")
    return mode == "IMPORT"


def _check_level(store: Store, subject: str, content: Content) -> None:
    versions = store.versions(subject)
    level = Level(store.levels.of(subject))
    found = objections(content, versions, level, store)
    if found:
        raise incompatible(subject, ", ".join([*found, f"{{compatibility: '{level}'}}"]))


def _added(store: Store, subject: str, content: Content, body: Mapping[str, JSON]) -> Version:
    last = max((version.number for version in store.versions(subject, deleted=True)), default=0)
    schema_id, number = _wanted(body, "id"), _wanted(body, "version")
    if schema_id is not None and store.contents.get(schema_id, content) != content:
        raise not_permitted(f"Id {schema_id} belongs to another schema")
    if number is not None and number <= last:
        raise invalid_schema(f"the version {number} is not past the last one, {last}")
    version = Version(subject, number or last + 1, store.identify(content, schema_id))
    store.keep(version)
    return version


def _wanted(body: Mapping[str, JSON], key: str) -> int | None:
    """A positive number that the client gives; clients write 0 or -1 for none."""
    number = body.get(key)
    if number is None or (type(number) is int and number <= 0):
        return None
    if type(number) is not int or number > 2**31 - 1:
        raise invalid_schema(f"{key} is not a number: {number!r}")
    return number
