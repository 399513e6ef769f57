"""The Schema Registry API: each resource a function from a call to the value that is answered as JSON.

Source: Confluent Schema Registry API reference. Resources that no serializer asks for are left out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.testing.registry.schemas import TYPES, objections, schema_of, shown
from immersiverse.auth.events.testing.registry.store import (
    LATEST,
    ApiError,
    SchemaStore,
    unknown_subject,
    unknown_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from immersiverse.auth.events.testing.registry.store import StoredSchema, SubjectVersion

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"

_MAX_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the API.

    Attributes:
        store: what the registry holds.
        path: the variable parts of the path, decoded.
        query: the query's parameters.
        content: the body.
    """

    store: SchemaStore
    path: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes = b""

    @property
    def subject(self) -> str:
        """The subject in the path.

        Raises:
            ApiError: 42208.
        """
        name = self.path["subject"]
        if not name.isprintable() or "\N{REPLACEMENT CHARACTER}" in name:
            raise ApiError(42208, f"{name!r} cannot be the name of a subject")
        return name

    @property
    def number(self) -> int:
        """The version in the path.

        Raises:
            ApiError: 42202.
        """
        written = self.path["version"]
        if written in ("latest", "-1"):
            return LATEST
        number = _decimal(written)
        if not number:
            raise ApiError(42202, f"{written!r} is not the number of a version, nor 'latest'")
        return number

    @property
    def schema_id(self) -> int:
        """The id in the path, or that of the GUID there.

        Raises:
            ApiError: 40403.
        """
        if "guid" in self.path:
            found = self.store.id_of(self.path["guid"])
            if found is None:
                raise ApiError(40403, f"no schema has the GUID {self.path['guid']}")
            return found
        number = _decimal(self.path["id"])
        if number is None:
            raise ApiError(404, "the id of a schema is a number")
        return number

    @property
    def body(self) -> dict[str, Any]:
        """The body, which is a JSON object.

        Raises:
            ApiError: 400.
        """
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


def application(store: Callable[[], SchemaStore], changed: Callable[[], None]) -> Starlette:
    """The API as an ASGI application. The path of a request must be given to it undecoded.

    Args:
        store: what gives the store to be used. It is used by the thread of the event loop only.
        changed: called when the store has changed, before the request is answered.
    """
    routes = [
        Route(path, _endpoint(resource, store, changed), methods=[method])
        for path, resources in ROUTES.items()
        for method, resource in resources.items()
    ]
    handlers = {ApiError: _answer_error, HTTPException: _answer_http_error, Exception: _answer_failure}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]  # each gets its own
    app.router.redirect_slashes = False
    return app


def error_answer(error: ApiError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that failed."""
    document = {"error_code": error.code, "message": error.message}
    return JSONResponse(document, error.status, headers, CONTENT_TYPE)


def _subjects(call: Call) -> list[str]:
    prefix, deleted = call.query.get("subjectPrefix", "").removeprefix(":*:"), call.flag("deleted")
    return [
        name
        for name in sorted(call.store.subjects)
        if name.startswith(prefix) and call.store.versions(name, deleted=deleted)
    ]


def _look_up(call: Call) -> dict[str, Any]:
    """The version of the subject that has a schema."""
    deleted, schema = call.flag("deleted"), schema_of(call.body, call.store)
    versions = call.store.versions(call.subject, deleted=deleted)
    found = _version_of(schema, versions, call.store)
    if found is None:
        missing = ApiError(40403, f"subject '{call.subject}' does not have this schema")
        raise missing if versions else unknown_subject(call.subject)
    return _version_document(found, call)


def _register(call: Call) -> dict[str, Any]:
    """The version of the subject that has a schema; a new one if there is none.

    The answer does not have the schema: Confluent's Python client would cache it as text, and fail on it.
    """
    store, subject = call.store, call.subject
    schema, versions = schema_of(call.body, store), store.versions(subject)
    version = _version_of(schema, versions, store)
    if version is None:
        if found := objections(schema, versions, store.level_of(subject), store):
            lines = "; ".join(line.rstrip(".") for line in found)
            raise ApiError(409, f"the schema is incompatible with what subject '{subject}' has: {lines}")
        version = store.add(subject, schema)
    return {"id": version.schema_id, "version": version.number, "guid": schema.guid}


def _version_numbers(call: Call) -> list[int]:
    found = call.store.versions(call.subject, deleted=call.flag("deleted"))
    if not found:
        raise unknown_subject(call.subject)
    return [version.number for version in found]


def _one_version(call: Call) -> dict[str, Any]:
    version = call.store.version(call.subject, call.number, deleted=call.flag("deleted"))
    return _version_document(version, call)


def _delete_subject(call: Call) -> list[int]:
    deleted = call.store.delete_subject(call.subject, permanent=call.flag("permanent"))
    return [version.number for version in deleted]


def _delete_version(call: Call) -> int:
    return call.store.delete_version(call.subject, call.number, permanent=call.flag("permanent")).number


def _one_schema(call: Call) -> dict[str, Any]:
    """A schema by id or GUID, with one version that has it: of the subject in the query, if that does."""
    document = _schema_document(call.schema_id, call)
    if "subject" not in call.query:
        return document
    versions = call.store.versions_of(call.schema_id, deleted=True)
    named = [version for version in versions if version.subject == call.query["subject"]]
    return {**document, **_place((named or versions)[-1])}


def _subjects_of_schema(call: Call) -> list[str]:
    return list(dict.fromkeys(version.subject for version in _versions_of_schema(call)))


def _places_of_schema(call: Call) -> list[dict[str, Any]]:
    return [_place(version) for version in _versions_of_schema(call)]


def _level(call: Call) -> dict[str, Any]:
    return {"compatibilityLevel": call.store.level}


def _set_level(call: Call) -> dict[str, Any]:
    """Set the level of the subject in the path, or of all that have none of their own."""
    written = call.body.get("compatibility")
    if not isinstance(written, str) or written.upper() not in list(Level):
        raise ApiError(42203, f"{written!r} is not a compatibility level: one of {', '.join(Level)}")
    call.store.set_level(call.subject if call.path else None, Level(written.upper()))
    return {"compatibility": written.upper()}


def _reset_level(call: Call) -> dict[str, Any]:
    before = call.store.level
    call.store.set_level(None, None)
    return {"compatibilityLevel": before}


def _subject_level(call: Call) -> dict[str, Any]:
    if call.subject not in call.store.subject_levels and not call.flag("defaultToGlobal"):
        raise ApiError(40408, f"subject '{call.subject}' has no compatibility level of its own")
    return {"compatibilityLevel": call.store.level_of(call.subject)}


def _reset_subject_level(call: Call) -> dict[str, Any]:
    before = call.store.subject_levels.get(call.subject)
    if before is None:
        raise unknown_subject(call.subject)
    call.store.set_level(call.subject, None)
    return {"compatibilityLevel": before}


def _check_all(call: Call) -> dict[str, Any]:
    """Whether a schema could be registered, by the level of the subject."""
    return _verdict(call.store.versions(call.subject), call)


def _check_one(call: Call) -> dict[str, Any]:
    """Whether a schema could follow one version, by the level of the subject."""
    versions = call.store.versions(call.subject)
    found = versions[-1:] if call.number == LATEST else [one for one in versions if one.number == call.number]
    if not found and call.number != LATEST:
        raise unknown_version(call.subject, call.number)
    return _verdict(found, call)


ROUTES: Mapping[str, Mapping[str, Callable[[Call], Any]]] = {
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
    "/config/{subject}": {"GET": _subject_level, "PUT": _set_level, "DELETE": _reset_subject_level},
    "/compatibility/subjects/{subject}/versions": {"POST": _check_all},
    "/compatibility/subjects/{subject}/versions/{version}": {"POST": _check_one},
    # There are none, and then clients use the subject of the topic's name.
    "/associations/resources/{namespace}/{name}": {"GET": lambda _: []},
}
"""The resources by path and method."""


def _endpoint(
    resource: Callable[[Call], Any], store: Callable[[], SchemaStore], changed: Callable[[], None]
) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        path = {name: unquote(value, errors="replace") for name, value in request.path_params.items()}
        call = Call(store(), path, request.query_params, await request.body())
        before = call.store.revision
        value = resource(call)
        if call.store.revision != before:
            changed()
        return JSONResponse(value, media_type=CONTENT_TYPE)

    return answer


async def _answer_error(_request: Request, error: ApiError) -> Response:
    return error_answer(error)


async def _answer_http_error(_request: Request, error: HTTPException) -> Response:
    return error_answer(ApiError(error.status_code, error.detail), error.headers)


async def _answer_failure(_request: Request, error: Exception) -> Response:
    return error_answer(ApiError(50001, f"the registry failed: {type(error).__name__}"))


def _decimal(written: str) -> int | None:
    """A number of ASCII digits that Java's int can hold."""
    digits = written.isascii() and written.isdigit() and len(written) <= len(str(_MAX_ID))
    return int(written) if digits and int(written) <= _MAX_ID else None


def _version_of(
    schema: StoredSchema, versions: list[SubjectVersion], store: SchemaStore
) -> SubjectVersion | None:
    """The latest of some versions that has a schema."""
    schema_id = store.id_of(schema.guid)
    return next((version for version in reversed(versions) if version.schema_id == schema_id), None)


def _verdict(versions: list[SubjectVersion], call: Call) -> dict[str, Any]:
    schema = schema_of(call.body, call.store)
    found = objections(schema, versions, call.store.level_of(call.subject), call.store)
    return {"is_compatible": not found, **({"messages": found} if call.flag("verbose") else {})}


def _versions_of_schema(call: Call) -> list[SubjectVersion]:
    call.store.schema(call.schema_id)  # raises if it is unknown
    return call.store.versions_of(call.schema_id, deleted=call.flag("deleted"))


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
