"""``/config``: how compatible the versions of all subjects, and of one, must be.

Of a registry's configuration only the level is kept; other keys are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.embedded.registry.permission import check_writable
from immersiverse.auth.events.embedded.registry.refusals import (
    invalid_level,
    no_subject_level,
    subject_not_found,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.embedded.registry.messages import Request
    from immersiverse.auth.events.embedded.registry.records import JSON
    from immersiverse.auth.events.embedded.registry.store import Store

KEY = "compatibility"
"""What requests and answers to them call it; other answers say ``compatibilityLevel``."""


def level(store: Store, request: Request) -> JSON:  # noqa: ARG001 - as every endpoint
    """``GET /config``."""
    return {"compatibilityLevel": store.levels.everywhere}


def set_level(store: Store, request: Request) -> JSON:
    """``PUT /config``; a request without the key changes nothing, one with null takes the level away."""
    body = request.json()
    wanted = _wanted(body)
    check_writable(store, None)
    if KEY in body:
        store.levels.everywhere = wanted or Level.BACKWARD
        store.revision += 1
    return {KEY: store.levels.everywhere}


def reset_level(store: Store, request: Request) -> JSON:  # noqa: ARG001 - as every endpoint
    """``DELETE /config``: back to what a new registry has; answers with the level it had."""
    check_writable(store, None)
    before = store.levels.everywhere
    store.levels.everywhere = Level.BACKWARD
    store.revision += 1
    return {"compatibilityLevel": before}


def subject_level(store: Store, request: Request) -> JSON:
    """``GET /config/S``."""
    if request.subject not in store.levels.by_subject and not request.flag("defaultToGlobal"):
        raise no_subject_level(request.subject)
    return {"compatibilityLevel": store.levels.of(request.subject)}


def set_subject_level(store: Store, request: Request) -> JSON:
    """``PUT /config/S``; the subject need not exist yet."""
    subject, body = request.subject, request.json()
    wanted = _wanted(body)
    check_writable(store, subject)
    if KEY in body:
        store.levels.put(subject, wanted)
        store.revision += 1
    return {KEY: store.levels.by_subject[subject]} if subject in store.levels.by_subject else {}


def unset_subject_level(store: Store, request: Request) -> JSON:
    """``DELETE /config/S``: the level it had."""
    if request.subject not in store.levels.by_subject:
        raise subject_not_found(request.subject)
    check_writable(store, request.subject)
    store.revision += 1
    return {"compatibilityLevel": store.levels.by_subject.pop(request.subject)}


def _wanted(body: dict[str, JSON]) -> str | None:
    wanted = body.get(KEY)
    if wanted is None:
        return None
    if not isinstance(wanted, str) or wanted.upper() not in list(Level):
        raise invalid_level()
    return wanted.upper()
