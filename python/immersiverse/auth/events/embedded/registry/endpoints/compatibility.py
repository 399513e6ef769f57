"""``/compatibility``: the verdict on a schema without registering it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.embedded.registry.refusals import Refusal, version_not_found
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
    versions = store.versions(request.subject)
    if request.version == LATEST:
        return _verdict(store, request, versions[-1:])
    one = [version for version in versions if version.number == request.version]
    if not one:
        raise version_not_found(request.version)
    return _verdict(store, request, one)


def _verdict(store: Store, request: Request, versions: list[Version]) -> JSON:
    verbose, body = request.flag("verbose"), request.json()
    try:
        level = Level(store.levels.of(request.subject))
        found = objections(content_of(body, store), versions, level, store)
    except Refusal as refusal:
        if not verbose:
            raise
        found = [refusal.message]
    return {"is_compatible": not found} | ({"messages": found} if verbose else {})
