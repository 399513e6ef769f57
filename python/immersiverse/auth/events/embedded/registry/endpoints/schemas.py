"""``/schemas``: by id, by GUID, all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry.endpoints.documents import (
    place,
    schema_document,
    schema_text,
    version_document,
)
from immersiverse.auth.events.embedded.registry.messages import Raw
from immersiverse.auth.events.embedded.registry.refusals import schema_not_found
from immersiverse.auth.events.embedded.registry.schemas import FORMS

if TYPE_CHECKING:
    from immersiverse.auth.events.embedded.registry.messages import Request
    from immersiverse.auth.events.embedded.registry.records import JSON, Version
    from immersiverse.auth.events.embedded.registry.store import Store


def types(store: Store, request: Request) -> JSON:  # noqa: ARG001 - as every endpoint
    """``GET /schemas/types``."""
    return list(FORMS)


def every(store: Store, request: Request) -> JSON:
    """``GET /schemas``."""
    held = store.every_version(deleted=request.flag("deleted"))
    rows = [version for version in held if version.subject.startswith(request.subject_prefix)]
    if request.flag("latestOnly"):
        rows = list({version.subject: version for version in rows}.values())
    return [version_document(store, version, request) for version in request.page(rows)]


def by_id(store: Store, request: Request) -> JSON:
    """``GET /schemas/ids/N``; who names a subject is told a version with this id, there or elsewhere."""
    document = schema_document(store, store.content(request.schema_id), request)
    if not request.options("subject"):
        return document
    holders = store.holders(request.schema_id, deleted=True)
    there = [version for version in holders if version.subject == request.option("subject")]
    return document | place((there or holders)[-1])


def text_by_id(store: Store, request: Request) -> Raw:
    """``GET /schemas/ids/N/schema``."""
    return Raw(schema_text(store, store.content(request.schema_id), request))


def subjects_of_id(store: Store, request: Request) -> JSON:
    """``GET /schemas/ids/N/subjects``."""
    return request.page(list(dict.fromkeys(version.subject for version in _holders(store, request))))


def versions_of_id(store: Store, request: Request) -> JSON:
    """``GET /schemas/ids/N/versions``."""
    return request.page([place(version) for version in _holders(store, request)])


def by_guid(store: Store, request: Request) -> JSON:
    """``GET /schemas/guids/G``."""
    return schema_document(store, store.content(_id_of(store, request)), request)


def ids_of_guid(store: Store, request: Request) -> JSON:
    """``GET /schemas/guids/G/ids``: at most one, since there is one context."""
    schema_id = store.id_of(request.path["guid"].lower())
    return [] if schema_id is None else [{"context": ".", "id": schema_id}]


def _holders(store: Store, request: Request) -> list[Version]:
    """Those of every subject: the registry takes ``subject`` as no more than a hint where to look first."""
    if request.schema_id not in store.contents:
        raise schema_not_found()
    return store.holders(request.schema_id, deleted=request.flag("deleted"))


def _id_of(store: Store, request: Request) -> int:
    guid = request.path["guid"]
    schema_id = store.id_of(guid.lower())
    if schema_id is None:
        raise schema_not_found(guid)
    return schema_id
