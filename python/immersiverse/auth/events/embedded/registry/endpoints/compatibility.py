"""``/compatibility``: the verdict on a schema without registering it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility import Level
from immersiverse.auth.events.embedded.registry.schemas import content_of
from immersiverse.auth.events.embedded.registry.store import LATEST
from immersiverse.auth.events.embedded.registry.verdicts import objections

if TYPE_CHECKING:
    from immersiverse.auth.events.embedded.registry.messages import Request
    from immersiverse.auth.events.embedded.registry.records import JSON, Version
    from immersiverse.auth.events.embedded.registry.store import Store


def with_every_version(store: Store, request: Request) -> JSON:
    """``POST /compatibility/subjects/S/versions``: by the subject's level."""
    return _verdict(store, request, store.versions(request.subject))


def with_one_version(store: Store, request: Request) -> JSON:
    """``POST /compatibility/subjects/S/versions/V``; a new subject is compatible with its latest."""
    if request.version == LATEST:
        return _verdict(store, request, store.versions(request.subject)[-1:])
    return _verdict(store, request, [store.version(request.subject, request.version)])


def _verdict(store: Store, request: Request, versions: list[Version]) -> JSON:
    new = content_of(request.json(), store)
    found = objections(new, versions, Level(store.levels.of(request.subject)), store)
    return {"is_compatible": not found} | ({"messages": found} if request.flag("verbose") else {})
