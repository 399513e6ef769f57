"""``/config`` and ``/mode``: for all subjects, and for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility import Level
from immersiverse.auth.events.embedded.registry import refusals

if TYPE_CHECKING:
    from immersiverse.auth.events.embedded.registry.messages import Request
    from immersiverse.auth.events.embedded.registry.records import JSON, Version
    from immersiverse.auth.events.embedded.registry.store import Store

MODES = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT")


def level(store: Store, request: Request) -> JSON:  # noqa: ARG001 - as every endpoint
    """``GET /config``."""
    return {"compatibilityLevel": store.levels.everywhere}


def set_level(store: Store, request: Request) -> JSON:
    """``PUT /config``; the key is not the one that ``GET`` answers with, as with Confluent's."""
    store.levels.everywhere = _level(request)
    store.revision += 1
    return {"compatibility": store.levels.everywhere}


def reset_level(store: Store, request: Request) -> JSON:  # noqa: ARG001 - as every endpoint
    """``DELETE /config``: back to what a new registry has."""
    store.levels.everywhere = Level.BACKWARD
    store.revision += 1
    return {"compatibilityLevel": store.levels.everywhere}


def subject_level(store: Store, request: Request) -> JSON:
    """``GET /config/S``."""
    if request.subject not in store.levels.by_subject and not request.flag("defaultToGlobal"):
        raise refusals.no_subject_level(request.subject)
    return {"compatibilityLevel": store.levels.of(request.subject)}


def set_subject_level(store: Store, request: Request) -> JSON:
    """``PUT /config/S``; the subject need not exist yet."""
    store.levels.by_subject[request.subject] = _level(request)
    store.revision += 1
    return {"compatibility": store.levels.of(request.subject)}


def unset_subject_level(store: Store, request: Request) -> JSON:
    """``DELETE /config/S``: the level it had."""
    if request.subject not in store.levels.by_subject:
        raise refusals.no_subject_level(request.subject)
    store.revision += 1
    return {"compatibilityLevel": store.levels.by_subject.pop(request.subject)}


def mode(store: Store, request: Request) -> JSON:  # noqa: ARG001 - as every endpoint
    """``GET /mode``."""
    return {"mode": store.modes.everywhere}


def set_mode(store: Store, request: Request) -> JSON:
    """``PUT /mode``."""
    wanted = _mode(request)
    _check_import(wanted, request, store.every_version())
    store.modes.everywhere = wanted
    store.revision += 1
    return {"mode": wanted}


def subject_mode(store: Store, request: Request) -> JSON:
    """``GET /mode/S``."""
    if request.subject not in store.modes.by_subject and not request.flag("defaultToGlobal"):
        raise refusals.no_subject_mode(request.subject)
    return {"mode": store.modes.of(request.subject)}


def set_subject_mode(store: Store, request: Request) -> JSON:
    """``PUT /mode/S``."""
    wanted = _mode(request)
    _check_import(wanted, request, store.versions(request.subject))
    store.modes.by_subject[request.subject] = wanted
    store.revision += 1
    return {"mode": wanted}


def unset_subject_mode(store: Store, request: Request) -> JSON:
    """``DELETE /mode/S``: the mode it had."""
    if request.subject not in store.modes.by_subject:
        raise refusals.no_subject_mode(request.subject)
    store.revision += 1
    return {"mode": store.modes.by_subject.pop(request.subject)}


def _level(request: Request) -> str:
    body = request.json()
    wanted = body.get("compatibility", body.get("compatibilityLevel"))
    if not isinstance(wanted, str) or wanted.upper() not in list(Level):
        raise refusals.invalid_level(wanted, ", ".join(Level))
    return wanted.upper()


def _mode(request: Request) -> str:
    wanted = request.json().get("mode")
    if not isinstance(wanted, str) or wanted.upper() not in MODES:
        raise refusals.invalid_mode(wanted, ", ".join(MODES))
    return wanted.upper()


def _check_import(wanted: str, request: Request, held: list[Version]) -> None:
    """Imported ids could clash with those already given, so this mode begins on empty ground, or by force."""
    if wanted == "IMPORT" and held and not request.flag("force"):
        raise refusals.not_permitted("Cannot import since found existing subjects")
