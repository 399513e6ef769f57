"""Looking a schema up under a subject, and registering it there.

Source: confluentinc/schema-registry 8.3.0, ``lookUpSchemaUnderSubject`` and ``registerOrForward``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.embedded.registry import permission
from immersiverse.auth.events.embedded.registry.records import Version
from immersiverse.auth.events.embedded.registry.refusals import (
    incompatible,
    invalid_schema,
    not_permitted,
    schema_not_found,
    subject_not_found,
)
from immersiverse.auth.events.embedded.registry.schemas import content_of, is_blank
from immersiverse.auth.events.embedded.registry.verdicts import objections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from immersiverse.auth.events.embedded.registry.records import JSON, Content
    from immersiverse.auth.events.embedded.registry.store import Store

INHERITED = ("metadata", "ruleSet")
"""What a new version has from the one before if it brings none."""


def look_up(store: Store, subject: str, body: Mapping[str, JSON], *, deleted: bool) -> Version:
    """The subject's version that holds this schema.

    Raises:
        Refusal: 40401, 40403, 42201.
    """
    contents = [] if is_blank(body) else _contents(store, subject, body)
    found = _held(store.versions(subject, deleted=deleted), contents, store)
    if found is not None:
        return found
    raise schema_not_found() if store.versions(subject, deleted=deleted) else subject_not_found(subject)


def register(store: Store, subject: str, body: Mapping[str, JSON]) -> Version:
    """The subject's version that holds this schema, made if there is none.

    Raises:
        Refusal: 409, 42201, 42205.
    """
    schema_id, number = _wanted(body, "id"), _wanted(body, "version")
    contents = _contents(store, subject, body)
    held = _held(store.versions(subject), contents, store)
    if held is not None and schema_id in {None, held.schema_id} and number in {None, held.number}:
        return held
    permission.check_registration(store, subject, with_id=schema_id is not None)
    if permission.importing(store, subject):
        return _added(store, subject, contents[0], body)
    level = Level(store.levels.of(subject))
    if found := objections(contents[-1], store.versions(subject), level, store):
        raise incompatible(subject, found)
    return _added(store, subject, contents[-1], body)


def _held(versions: list[Version], contents: list[Content], store: Store) -> Version | None:
    """The newest version that holds one of the contents, the first of them first."""
    for schema_id in (store.id_of(content.guid) for content in contents):
        for version in reversed(versions):
            if version.schema_id == schema_id:
                return version
    return None


def _contents(store: Store, subject: str, body: Mapping[str, JSON]) -> list[Content]:
    """The schema as it came, and as it would be registered, if that is another."""
    completed = _completed(store, subject, body)
    bodies = [one for one in (body, completed) if not is_blank(one)] or [body]
    return [content_of(one, store) for one in (bodies[:1] if completed == body else bodies)]


def _completed(store: Store, subject: str, body: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """The body with what it leaves to the version before: metadata and rules, even the schema."""
    latest = next(reversed(store.versions(subject)), None)
    if latest is None:
        return body
    before = store.content(latest.schema_id).as_json()
    missing = [key for key in INHERITED if body.get(key) is None and before[key] is not None]
    if is_blank(body):
        missing += ["schema", "schemaType", "references"]
    return {**body, **{key: before[key] for key in missing}}


def _added(store: Store, subject: str, content: Content, body: Mapping[str, JSON]) -> Version:
    following = max((version.number for version in store.versions(subject, deleted=True)), default=0) + 1
    schema_id, number = _wanted(body, "id"), _wanted(body, "version")
    if number not in {None, following} and not permission.importing(store, subject):
        raise invalid_schema("Version is not one more than previous version")
    if schema_id is not None and store.contents.get(schema_id, content) != content:
        raise not_permitted(f"Overwrite new schema with id {schema_id} in context  is not permitted.")
    version = Version(subject, number or following, store.identify(content, schema_id))
    store.keep(version)
    store.forget(_replaced(store, version))
    return version


def _replaced(store: Store, version: Version) -> list[Version]:
    """Softly deleted versions of the same schema that nobody imports: the new one stands for them."""
    return [
        before
        for before in store.versions(version.subject, deleted=True)
        if before.deleted
        and before.schema_id == version.schema_id
        and before.number < version.number
        and not store.referrers(before, deleted=True)
    ]


def _wanted(body: Mapping[str, JSON], key: str) -> int | None:
    """A positive number that the client gives; clients write 0 or -1 for none."""
    number = body.get(key)
    if number is None or (type(number) is int and number <= 0):
        return None
    if type(number) is not int or number > 2**31 - 1:
        raise invalid_schema(f"{key} is not a number: {number!r}")
    return number
