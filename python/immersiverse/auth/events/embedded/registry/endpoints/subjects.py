"""``/subjects``: registering, looking up, listing and deleting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry.deletion import delete_subject, delete_version
from immersiverse.auth.events.embedded.registry.endpoints.documents import schema_text, version_document
from immersiverse.auth.events.embedded.registry.messages import Raw
from immersiverse.auth.events.embedded.registry.refusals import schema_not_found, subject_not_found
from immersiverse.auth.events.embedded.registry.registration import look_up, register

if TYPE_CHECKING:
    from immersiverse.auth.events.embedded.registry.messages import Request
    from immersiverse.auth.events.embedded.registry.records import JSON
    from immersiverse.auth.events.embedded.registry.store import Store


def names(store: Store, request: Request) -> JSON:
    """``GET /subjects``; of deleted ones only those of which nothing is left."""
    held = [subject for subject in sorted(store.subjects) if subject.startswith(request.subject_prefix)]
    if request.flag("deletedOnly", "deleted_only"):
        return request.page([subject for subject in held if not store.versions(subject)])
    return request.page(
        [subject for subject in held if store.versions(subject, deleted=request.flag("deleted"))]
    )


def find(store: Store, request: Request) -> JSON:
    """``POST /subjects/S``."""
    version = look_up(store, request.subject, request.json(), deleted=request.flag("deleted"))
    return version_document(store, version, request)


def remove(store: Store, request: Request) -> JSON:
    """``DELETE /subjects/S``."""
    versions = delete_subject(store, request.subject, permanent=request.flag("permanent"))
    return [version.number for version in versions]


def numbers(store: Store, request: Request) -> JSON:
    """``GET /subjects/S/versions``."""
    only, negative = request.flag("deletedOnly", "deleted_only"), request.flag("deletedAsNegative")
    every = store.versions(request.subject, deleted=True)
    if not store.versions(request.subject, deleted=only or request.flag("deleted")):
        raise subject_not_found(request.subject)
    if negative:
        return request.page([-version.number if version.deleted else version.number for version in every])
    deleted = {True} if only else {False, request.flag("deleted")}
    return request.page([version.number for version in every if version.deleted in deleted])


def add(store: Store, request: Request) -> JSON:
    """``POST /subjects/S/versions``; without the schema, which Python's client would cache as text."""
    version = register(store, request.subject, request.json())
    guid = store.content(version.schema_id).guid
    return {"id": version.schema_id, "version": version.number, "guid": guid}


def one(store: Store, request: Request) -> JSON:
    """``GET /subjects/S/versions/V``."""
    version = store.version(request.subject, request.version, deleted=request.flag("deleted"))
    return version_document(store, version, request)


def remove_one(store: Store, request: Request) -> JSON:
    """``DELETE /subjects/S/versions/V``."""
    permanent = request.flag("permanent")
    return delete_version(store, request.subject, request.version, permanent=permanent).number


def schema(store: Store, request: Request) -> Raw:
    """``GET /subjects/S/versions/V/schema``."""
    version = store.version(request.subject, request.version, deleted=request.flag("deleted"))
    return Raw(schema_text(store, store.content(version.schema_id), request))


def referenced_by(store: Store, request: Request) -> JSON:
    """``GET /subjects/S/versions/V/referencedby``: ids."""
    version = store.version(request.subject, request.version, deleted=True)
    referrers = store.referrers(version, deleted=request.flag("deleted"))
    return request.page(sorted({referrer.schema_id for referrer in referrers}))


def with_metadata(store: Store, request: Request) -> JSON:
    """``GET /subjects/S/metadata``: the last version that has these properties."""
    wanted = dict(zip(request.options("key"), request.options("value"), strict=False))
    held = store.versions(request.subject, deleted=request.flag("deleted"))
    for version in reversed(held):
        metadata = store.content(version.schema_id).metadata
        properties = metadata.get("properties") if isinstance(metadata, dict) else None
        if isinstance(properties, dict) and wanted.items() <= properties.items():
            return version_document(store, version, request)
    raise schema_not_found() if held else subject_not_found(request.subject)
