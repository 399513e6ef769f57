"""The REST interface as one function from a request to its answer, without sockets.

Source: Confluent Schema Registry API reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry.endpoints import (
    compatibility,
    levels,
    modes,
    schemas,
    subjects,
)
from immersiverse.auth.events.embedded.registry.messages import Answer, Request, answer, refused, segments
from immersiverse.auth.events.embedded.registry.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from immersiverse.auth.events.embedded.registry.store import Store

Endpoint = Callable[["Store", Request], object]

ROUTES: Mapping[str, Mapping[str, Endpoint]] = {
    "/": {"GET": lambda _store, _request: {}, "POST": lambda _store, _request: {}},
    "/subjects": {"GET": subjects.names},
    "/subjects/{subject}": {"POST": subjects.find, "DELETE": subjects.remove},
    "/subjects/{subject}/metadata": {"GET": subjects.with_metadata},
    "/subjects/{subject}/versions": {"GET": subjects.numbers, "POST": subjects.add},
    "/subjects/{subject}/versions/{version}": {"GET": subjects.one, "DELETE": subjects.remove_one},
    "/subjects/{subject}/versions/{version}/schema": {"GET": subjects.schema},
    "/subjects/{subject}/versions/{version}/referencedby": {"GET": subjects.referenced_by},
    "/schemas": {"GET": schemas.every},
    "/schemas/types": {"GET": schemas.types},
    "/schemas/ids/{id}": {"GET": schemas.by_id},
    "/schemas/ids/{id}/schema": {"GET": schemas.text_by_id},
    "/schemas/ids/{id}/subjects": {"GET": schemas.subjects_of_id},
    "/schemas/ids/{id}/versions": {"GET": schemas.versions_of_id},
    "/schemas/guids/{guid}": {"GET": schemas.by_guid},
    "/schemas/guids/{guid}/ids": {"GET": schemas.ids_of_guid},
    "/config": {"GET": levels.level, "PUT": levels.set_level, "DELETE": levels.reset_level},
    "/config/{subject}": {
        "GET": levels.subject_level,
        "PUT": levels.set_subject_level,
        "DELETE": levels.unset_subject_level,
    },
    "/mode": {"GET": modes.mode, "PUT": modes.set_mode, "DELETE": modes.reset_mode},
    "/mode/{subject}": {
        "GET": modes.subject_mode,
        "PUT": modes.set_subject_mode,
        "DELETE": modes.unset_subject_mode,
    },
    "/compatibility/subjects/{subject}/versions": {"POST": compatibility.with_every_version},
    "/compatibility/subjects/{subject}/versions/{version}": {"POST": compatibility.with_one_version},
    # None are kept: newer clients then fall back to the topic's name.
    "/associations/resources/{namespace}/{name}": {"GET": lambda _store, _request: []},
    "/contexts": {"GET": lambda _store, request: request.page(["."])},
}


def respond(store: Store, method: str, target: str, body: bytes = b"") -> Answer:
    """The answer to a request; whatever was sent, an answer.

    Args:
        store: locked for as long as the answer takes.
        method: in capitals.
        target: path and query as in the request line, still encoded.
        body: at most as large as the server lets through.
    """
    path, _, query = target.partition("?")
    try:
        values, endpoints = _route(path)
        endpoint = endpoints.get(method)
        if endpoint is None:
            return _not_allowed(endpoints)
        with store.lock:
            return answer(endpoint(store, Request(values, query, body)))
    except Refusal as refusal:
        return refused(refusal)


def _route(path: str) -> tuple[dict[str, str], Mapping[str, Endpoint]]:
    parts = segments(path)
    for pattern, endpoints in ROUTES.items():
        values = _match(pattern.strip("/").split("/"), parts)
        if values is not None:
            return values, endpoints
    raise Refusal(404, "HTTP 404 Not Found")


def _match(pattern: list[str], parts: tuple[str, ...]) -> dict[str, str] | None:
    """The values in the pattern's places; an early literal pattern wins over a later place."""
    if len(pattern) != len(parts):
        return None
    values: dict[str, str] = {}
    for expected, part in zip(pattern, parts, strict=True):
        if expected.startswith("{"):
            values[expected.strip("{}")] = part
        elif expected != part:
            return None
    return values


def _not_allowed(endpoints: Mapping[str, Endpoint]) -> Answer:
    refusal = refused(Refusal(405, "HTTP 405 Method Not Allowed"))
    return Answer(refusal.status, refusal.body, allow=", ".join(endpoints))
