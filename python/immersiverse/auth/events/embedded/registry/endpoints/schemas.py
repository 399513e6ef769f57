"""``/schemas``: by id, by GUID, all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry.endpoints.documents import (
    place,
    schema_document,
    schema_text,
    shown,
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
    prefix = request.option("subjectPrefix")
    rows = [version for version in shown(store, request) if version.subject.startswith(prefix)]
    if request.flag("latestOnly"):
        rows = list({version.subject: version for version in rows}.values())
    return [version_document(store, version, request) for version in request.page(rows)]


def by_id(store: Store, request: Request) -> JSON:
    """``GET /schemas/ids/N``; whatever subject the client names, since the id says it all."""
    return schema_document(store, store.content(request.schema_id), request)


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
    """``GET /schemas/guids/G/ids``: one, since there is one context."""
    return [{"context": ".", "id": _id_of(store, request)}]


def _holders(store: Store, request: Request) -> list[Version]:
    store.content(request.schema_id)
    subject = request.option("subject")
    holders = store.holders(request.schema_id, deleted=request.flag("deleted"))
    return [version for version in holders if subject in {"", version.subject}]


def _id_of(store: Store, request: Request) -> int:
    guid = request.path["guid"].lower()
    schema_id = store.id_of(guid)
    if schema_id is None:
        raise schema_not_found(guid)
    return schema_id
