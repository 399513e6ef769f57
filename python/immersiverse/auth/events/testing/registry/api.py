"""The Schema Registry API: each resource a function from a call to the value that is answered as JSON.

Source: Confluent Schema Registry API reference. Resources that no serializer asks for are left out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import orjson
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.testing.registry.access import CONTENT_TYPE, check_caller, check_content_type
from immersiverse.auth.events.testing.registry.schemas import TYPES, objections, schema_of, shown
from immersiverse.auth.events.testing.registry.store import (
    EVERY_SUBJECT,
    LATEST,
    ApiError,
    unknown_subject,
    unknown_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from immersiverse.auth.events.testing.registry.store import (
        KeptStore,
        SchemaStore,
        StoredSchema,
        SubjectVersion,
    )

MAX_BODY: Final = 8 * 1024 * 1024
"""Bytes of a request's body."""

_MAX_ID = 2**31 - 1
_NOT_READ = (403, 413, 415)  # refused before the body is read, so the connection cannot go on


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the API.

    Attributes:
        kept: the store, and where it is kept.
        path: the variable parts of the path, decoded.
        query: the query's parameters.
        content: the body.
    """

    kept: KeptStore
    path: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes = b""

    @property
    def store(self) -> SchemaStore:
        """What the registry holds."""
        return self.kept.store

    @property
    def subject(self) -> str:
        """The subject in the path, else `EVERY_SUBJECT`; ApiError 42208 if it cannot be the name of one."""
        name = self.path.get("subject", EVERY_SUBJECT)
        if not name.isprintable() or "\N{REPLACEMENT CHARACTER}" in name:
            raise ApiError(42208, f"{name!r} cannot be the name of a subject")
        return name

    @property
    def number(self) -> int:
        """The version in the path; ApiError 42202 if it is none."""
        written = self.path["version"]
        number = LATEST if written in ("latest", "-1") else _decimal(written)
        if not number:
            raise ApiError(42202, f"{written!r} is not the number of a version, nor 'latest'")
        return number

    @property
    def schema_id(self) -> int:
        """The id in the path, or that of the GUID there; ApiError 40403 if no schema has that."""
        if "guid" in self.path:
            found, missing = self.store.id_of(self.path["guid"]), ApiError(40403, "no schema has this GUID")
        else:
            found, missing = _decimal(self.path["id"]), ApiError(404, "the id of a schema is a number")
        if found is None:
            raise missing
        return found

    @property
    def body(self) -> dict[str, Any]:
        """The body; ApiError 400 if it is not a JSON object."""
        try:
            value = orjson.loads(self.content)
        except orjson.JSONDecodeError as error:
            raise ApiError(400, f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise ApiError(400, "the body is not a JSON object")
        return value

    def flag(self, name: str) -> bool:
        """Whether a parameter of the query is true; Python's clients write ``True``."""
        return self.query.get(name, "").lower() == "true"

    def versions(self) -> list[SubjectVersion]:
        """The versions of the subject, with deleted ones if those are asked for."""
        return self.store.versions_of(self.subject, deleted=self.flag("deleted"))


def _subjects(call: Call) -> list[str]:
    prefix = call.query.get("subjectPrefix", "").removeprefix(":*:")
    return [name for name in call.store.subjects(deleted=call.flag("deleted")) if name.startswith(prefix)]


def _look_up(call: Call) -> dict[str, Any]:
    """The version of the subject that has a schema."""
    schema, versions = schema_of(call.body, call.store), call.versions()
    if not versions:
        raise unknown_subject(call.subject)
    found = _version_with(schema, versions, call.store)
    if found is None:
        raise ApiError(40403, f"subject '{call.subject}' does not have this schema")
    return _version_document(found, call)


def _register(call: Call) -> dict[str, Any]:
    """The version of the subject that has a schema; a new one if there is none.

    The answer does not have the schema: Confluent's Python client would cache it as text, and fail on it.
    """
    subject, schema = call.subject, schema_of(call.body, call.store)
    versions = call.store.versions_of(subject)
    version = _version_with(schema, versions, call.store)
    if version is None:
        if found := objections(schema, versions, call.store.level_of(subject), call.store):
            lines = "; ".join(line.rstrip(".") for line in found)
            raise ApiError(409, f"the schema is incompatible with what subject '{subject}' has: {lines}")
        call.kept.replace(call.store.add(subject, schema))
        version = call.store.version(subject, LATEST)
    return {"id": version.schema_id, "version": version.number, "guid": schema.guid}


def _version_numbers(call: Call) -> list[int]:
    versions = call.versions()
    if not versions:
        raise unknown_subject(call.subject)
    return [version.number for version in versions]


def _one_version(call: Call) -> dict[str, Any]:
    version = call.store.version(call.subject, call.number, deleted=call.flag("deleted"))
    return _version_document(version, call)


def _delete_subject(call: Call) -> list[int]:
    held = call.store.versions_of(call.subject, deleted=True)
    if not held:
        raise unknown_subject(call.subject)
    return _delete(held, call, f"subject '{call.subject}'", again=40404, first=40405)


def _delete_version(call: Call) -> int:
    version = call.store.version(call.subject, call.number, deleted=True)
    name = f"version {version.number} of subject '{version.subject}'"
    return _delete([version], call, name, again=40406, first=40407)[0]


def _delete(versions: list[SubjectVersion], call: Call, name: str, *, again: int, first: int) -> list[int]:
    """Hide versions or, if they are hidden already and that is asked for, remove them for good."""
    permanent, visible = call.flag("permanent"), [one for one in versions if not one.deleted]
    if permanent and visible:
        raise ApiError(first, f"delete {name} without permanent=true first")
    if not permanent and not visible:
        raise ApiError(again, f"{name} is deleted already; permanent=true removes it")
    chosen = versions if permanent else visible
    call.kept.replace(call.store.delete(chosen, permanent=permanent))
    return [version.number for version in chosen]


def _one_schema(call: Call) -> dict[str, Any]:
    """A schema by id or GUID, with one version that has it: of the subject in the query, if that does.

    With the id, too: Confluent's Python client takes the answer for a registration, and looks for it there.
    """
    document = _schema_document(call.schema_id, call)
    if "subject" not in call.query:
        return document
    versions = call.store.versions_with(call.schema_id)
    named = [version for version in versions if version.subject == call.query["subject"]]
    return {**document, **_place((named or versions)[-1])}


def _places_of_schema(call: Call) -> list[dict[str, Any]]:
    call.store.schema(call.schema_id)  # raises if it is unknown
    versions = call.store.versions_with(call.schema_id)
    return [_place(version) for version in versions if call.flag("deleted") or not version.deleted]


def _subjects_of_schema(call: Call) -> list[str]:
    return list(dict.fromkeys(place["subject"] for place in _places_of_schema(call)))


def _level(call: Call) -> dict[str, Any]:
    if call.subject not in {EVERY_SUBJECT, *call.store.levels} and not call.flag("defaultToGlobal"):
        raise ApiError(40408, f"subject '{call.subject}' has no compatibility level of its own")
    return {"compatibilityLevel": call.store.level_of(call.subject)}


def _set_level(call: Call) -> dict[str, Any]:
    """Set the level of the subject in the path, or of all that have none of their own."""
    written = call.body.get("compatibility")
    if not isinstance(written, str) or written.upper() not in list(Level):
        raise ApiError(42203, f"{written!r} is not a compatibility level: one of {', '.join(Level)}")
    call.kept.replace(call.store.set_level(call.subject, Level(written.upper())))
    return {"compatibility": written.upper()}


def _reset_level(call: Call) -> dict[str, Any]:
    before = call.store.level_of(call.subject)
    if call.subject not in {EVERY_SUBJECT, *call.store.levels}:
        raise unknown_subject(call.subject)
    call.kept.replace(call.store.set_level(call.subject, None))
    return {"compatibilityLevel": before}


def _check_all(call: Call) -> dict[str, Any]:
    """Whether a schema could be registered, by the level of the subject."""
    return _verdict(call.store.versions_of(call.subject), call)


def _check_one(call: Call) -> dict[str, Any]:
    """Whether a schema could follow one version, by the level of the subject."""
    versions = call.store.versions_of(call.subject)
    found = versions[-1:] if call.number == LATEST else [one for one in versions if one.number == call.number]
    if not found and call.number != LATEST:
        raise unknown_version(call.subject, call.number)
    return _verdict(found, call)


ROUTES: Final[Mapping[str, Mapping[str, Callable[[Call], Any]]]] = {
    "/": {"GET": lambda _: {}},
    "/subjects": {"GET": _subjects},
    "/subjects/{subject}": {"POST": _look_up, "DELETE": _delete_subject},
    "/subjects/{subject}/versions": {"GET": _version_numbers, "POST": _register},
    "/subjects/{subject}/versions/{version}": {"GET": _one_version, "DELETE": _delete_version},
    "/schemas/types": {"GET": lambda _: list(TYPES)},
    "/schemas/ids/{id}": {"GET": _one_schema},
    "/schemas/ids/{id}/subjects": {"GET": _subjects_of_schema},
    "/schemas/ids/{id}/versions": {"GET": _places_of_schema},
    "/schemas/guids/{guid}": {"GET": _one_schema},
    "/config": {"GET": _level, "PUT": _set_level, "DELETE": _reset_level},
    "/config/{subject}": {"GET": _level, "PUT": _set_level, "DELETE": _reset_level},
    "/compatibility/subjects/{subject}/versions": {"POST": _check_all},
    "/compatibility/subjects/{subject}/versions/{version}": {"POST": _check_one},
    # There are none, and then clients use the subject of the topic's name.
    "/associations/resources/{namespace}/{name}": {"GET": lambda _: []},
}
"""The resources by path and method."""


def application(kept: KeptStore, own_host: str) -> ASGIApp:
    """The API as an ASGI application.

    Args:
        kept: what the registry holds. It is used by the thread of the event loop only.
        own_host: the name or address that the registry listens on.
    """
    routes = [
        Route(path, _endpoint(resource, kept), methods=[method])
        for path, resources in ROUTES.items()
        for method, resource in resources.items()
    ]
    api = Starlette(routes=routes, exception_handlers=dict.fromkeys(_ERRORS, _answer_error))
    api.router.redirect_slashes = False

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            check_caller(Headers(scope=scope), own_host)
        except ApiError as error:
            await _error_answer(error.code, error.message)(scope, receive, send)
            return
        # Paths are split before they are decoded, since a subject may have an encoded slash.
        path = scope["raw_path"].decode("ascii").rstrip("/") or "/"
        await api({**scope, "path": path}, receive, send)

    return checked


def _endpoint(resource: Callable[[Call], Any], kept: KeptStore) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        content = await _body(request)
        if content:
            check_content_type(request.headers)
        path = {name: unquote(value, errors="replace") for name, value in request.path_params.items()}
        value = resource(Call(kept, path, request.query_params, content))
        return JSONResponse(value, media_type=CONTENT_TYPE)

    return answer


async def _body(request: Request) -> bytes:
    too_large = ApiError(413, f"the body has more than {MAX_BODY} bytes")
    if int(request.headers.get("Content-Length", "0")) > MAX_BODY:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise too_large
    return bytes(body)


_ERRORS = (ApiError, HTTPException, ClientDisconnect, Exception)


async def _answer_error(_request: Request, error: Exception) -> Response:
    match error:
        case ApiError():
            return _error_answer(error.code, error.message)
        case HTTPException():
            return _error_answer(error.status_code, error.detail, error.headers)
        case _:
            return _error_answer(50001, f"the registry failed: {type(error).__name__}")


def _error_answer(code: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error code begins with the HTTP status."""
    document, status = {"error_code": code, "message": message}, int(str(code)[:3])
    return JSONResponse(
        document, status, {"Connection": "close"} if code in _NOT_READ else headers, CONTENT_TYPE
    )


def _decimal(written: str) -> int | None:
    """A number of ASCII digits that Java's int can hold."""
    digits = written.isascii() and written.isdigit() and len(written) <= len(str(_MAX_ID))
    return int(written) if digits and int(written) <= _MAX_ID else None


def _version_with(
    schema: StoredSchema, versions: list[SubjectVersion], store: SchemaStore
) -> SubjectVersion | None:
    """The latest of some versions that has a schema."""
    schema_id = store.id_of(schema.guid)
    return next((version for version in reversed(versions) if version.schema_id == schema_id), None)


def _verdict(versions: list[SubjectVersion], call: Call) -> dict[str, Any]:
    schema = schema_of(call.body, call.store)
    found = objections(schema, versions, call.store.level_of(call.subject), call.store)
    return {"is_compatible": not found, **({"messages": found} if call.flag("verbose") else {})}


def _schema_document(schema_id: int, call: Call) -> dict[str, Any]:
    """A schema. Avro's type is left out, as it is by registries that older clients know."""
    schema = call.store.schema(schema_id)
    text = shown(schema, call.store, serialized=call.query.get("format") == "serialized")
    document: dict[str, Any] = {"schema": text, "id": schema_id, "guid": schema.guid}
    if schema.schema_type != "AVRO":
        document["schemaType"] = schema.schema_type
    if schema.references:
        document["references"] = [asdict(reference) for reference in schema.references]
    return {**document, **schema.extras}


def _version_document(version: SubjectVersion, call: Call) -> dict[str, Any]:
    deleted = {"deleted": True} if version.deleted else {}
    return {**_place(version), **_schema_document(version.schema_id, call), **deleted}


def _place(version: SubjectVersion) -> dict[str, Any]:
    return {"subject": version.subject, "version": version.number}
