"""``/mode``: what may be changed in all subjects, and in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry import refusals
from immersiverse.auth.events.embedded.registry.permission import MODES, importing

if TYPE_CHECKING:
    from immersiverse.auth.events.embedded.registry.messages import Request
    from immersiverse.auth.events.embedded.registry.records import JSON, Version
    from immersiverse.auth.events.embedded.registry.store import Store

INITIAL = "READWRITE"


def mode(store: Store, request: Request) -> JSON:  # noqa: ARG001 - as every endpoint
    """``GET /mode``."""
    return {"mode": store.modes.everywhere}


def set_mode(store: Store, request: Request) -> JSON:
    """``PUT /mode``; answers with the request, and null brings back what a new registry has."""
    body = request.json()
    wanted = _wanted(body)
    if wanted == "IMPORT" and not importing(store, None) and not request.flag("force"):
        _clear(store, store.every_version(deleted=True))
    store.modes.everywhere = wanted or INITIAL
    store.revision += 1
    return _echo(body)


def reset_mode(store: Store, request: Request) -> JSON:
    """``DELETE /mode``: the mode it had; ``recursive`` unsets those of all subjects, too."""
    before = store.modes.everywhere
    store.modes.everywhere = INITIAL
    if request.flag("recursive"):
        store.modes.by_subject.clear()
    store.revision += 1
    return {"mode": before}


def subject_mode(store: Store, request: Request) -> JSON:
    """``GET /mode/S``."""
    if request.subject not in store.modes.by_subject and not request.flag("defaultToGlobal"):
        raise refusals.no_subject_mode(request.subject)
    return {"mode": store.modes.of(request.subject)}


def set_subject_mode(store: Store, request: Request) -> JSON:
    """``PUT /mode/S``."""
    subject, body = request.subject, request.json()
    wanted = _wanted(body)
    if wanted == "IMPORT" and not importing(store, subject) and not request.flag("force"):
        _clear(store, store.versions(subject, deleted=True))
    store.modes.put(subject, wanted)
    store.revision += 1
    return _echo(body)


def unset_subject_mode(store: Store, request: Request) -> JSON:
    """``DELETE /mode/S``: the mode it had."""
    if request.subject not in store.modes.by_subject:
        if request.flag("recursive"):
            return {}
        raise refusals.subject_not_found(request.subject)
    store.revision += 1
    return {"mode": store.modes.by_subject.pop(request.subject)}


def _wanted(body: dict[str, JSON]) -> str | None:
    wanted = body.get("mode")
    if wanted is None:
        return None
    if wanted == "FORWARD":
        raise refusals.no_forward_mode()
    if not isinstance(wanted, str) or wanted.upper() not in MODES:
        raise refusals.invalid_mode()
    return wanted.upper()


def _echo(body: dict[str, JSON]) -> JSON:
    return {"mode": body["mode"]} if "mode" in body else {}


def _clear(store: Store, held: list[Version]) -> None:
    """Imported ids could clash with those already given, so this mode begins on empty ground, or by force."""
    if not all(version.deleted for version in held):
        raise refusals.not_permitted("Cannot import since found existing subjects")
    for version in held:
        if store.referrers(version, deleted=True):
            raise refusals.reference_exists(version.subject, version.number)
    store.forget(held)
