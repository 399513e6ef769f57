"""What the registry holds: schemas, the versions of each subject, compatibility levels; and its file.

A store never changes: what would change it returns another one. So a change that cannot be written leaves no
trace.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.errors import RegistryError
from immersiverse.auth.events.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable

LATEST: Final = -1
"""The number that stands for the latest version that is not deleted."""

EVERY_SUBJECT: Final = ""
"""In `SchemaStore.levels`, the subjects that have no level of their own."""

_FORMAT = 3
_log = get_logger(__name__)


class ApiError(Exception):
    """A request that is answered with an error.

    Source: Confluent Schema Registry API reference, the errors of each resource.

    Attributes:
        code: the API's error code. Its first three digits are the HTTP status.
        message: for a person to read.
    """

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Reference:
    """An import of a schema: its name there, and the version of a subject that has it."""

    name: str
    subject: str
    version: int


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """A schema, whatever subjects have it. Equal schemas have one id.

    Attributes:
        schema_type: ``AVRO``, ``PROTOBUF`` or ``JSON``.
        text: as it was registered first: text, or for Protobuf base64 of a descriptor.
        guid: a UUID made from type, content and references.
        references: in the order given.
        extras: ``metadata`` and ``ruleSet`` as they were registered; they are returned and have no effect.
    """

    schema_type: str
    text: str
    guid: str
    references: tuple[Reference, ...] = ()
    extras: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubjectVersion:
    """A version of a subject. A deleted one is hidden, and its schema can still be read by id."""

    subject: str
    number: int
    schema_id: int
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class SchemaStore:
    """Everything that a registry holds.

    Attributes:
        schemas: every schema that was ever registered; an id is a place here, from 1.
        versions: those that are not deleted for good, in the order in which they were made.
        levels: compatibility levels by subject.
        format: of the file.
    """

    schemas: tuple[StoredSchema, ...] = ()
    versions: tuple[SubjectVersion, ...] = ()
    levels: dict[str, Level] = field(default_factory=dict)
    format: int = _FORMAT

    def schema(self, schema_id: int) -> StoredSchema:
        """The schema of an id; ApiError 40403 if there is none."""
        if not self.versions_with(schema_id):
            raise ApiError(40403, f"no schema has the id {schema_id}")
        return self.schemas[schema_id - 1]

    def id_of(self, guid: str) -> int | None:
        """The id of the schema with a GUID, if there is one."""
        ids = (place for place, held in enumerate(self.schemas, 1) if held.guid == guid.lower())
        return next((schema_id for schema_id in ids if self.versions_with(schema_id)), None)

    def subjects(self, *, deleted: bool = False) -> list[str]:
        """The subjects that have versions, in alphabetical order."""
        return sorted({one.subject for one in self.versions if deleted or not one.deleted})

    def versions_of(self, subject: str, *, deleted: bool = False) -> list[SubjectVersion]:
        """The versions of a subject, oldest first, with deleted ones or without; none if it is unknown."""
        return [one for one in self.versions if one.subject == subject and (deleted or not one.deleted)]

    def versions_with(self, schema_id: int) -> list[SubjectVersion]:
        """The versions of all subjects that have an id, with deleted ones, by subject."""
        found = (one for one in self.versions if one.schema_id == schema_id)
        return sorted(found, key=lambda one: one.subject)

    def version(self, subject: str, number: int, *, deleted: bool = False) -> SubjectVersion:
        """One version of a subject, `LATEST` never a deleted one; ApiError 40401, 40402 if it is unknown."""
        versions = self.versions_of(subject, deleted=deleted)
        if not versions:
            raise unknown_subject(subject)
        for version in reversed(versions):
            if version.number == number or (number == LATEST and not version.deleted):
                return version
        raise unknown_version(subject, number)

    def level_of(self, subject: str) -> Level:
        """The compatibility level that a subject has."""
        return self.levels.get(subject) or self.levels.get(EVERY_SUBJECT, Level.BACKWARD)

    def add(self, subject: str, schema: StoredSchema) -> SchemaStore:
        """With a new version of a subject, the last of its versions."""
        schema_id = self.id_of(schema.guid)
        schemas = self.schemas if schema_id else (*self.schemas, schema)
        number = 1 + max((one.number for one in self.versions_of(subject, deleted=True)), default=0)
        added = SubjectVersion(subject, number, schema_id or len(schemas))
        return replace(self, schemas=schemas, versions=(*self.versions, added))

    def set_level(self, subject: str, level: Level | None) -> SchemaStore:
        """With a level of a subject, or with none of its own."""
        others = {name: held for name, held in self.levels.items() if name != subject}
        return replace(self, levels={**others, subject: level} if level else others)

    def delete(self, chosen: Iterable[SubjectVersion], *, permanent: bool) -> SchemaStore:
        """With versions hidden, or removed for good; ApiError 42206 if another version imports one."""
        gone = {(one.subject, one.number) for one in chosen}
        kept = [one for one in self.versions if (one.subject, one.number) not in gone]
        for other in kept:
            for imported in self.schemas[other.schema_id - 1].references:
                if (imported.subject, imported.version) in gone and (permanent or not other.deleted):
                    raise _still_imported(other, imported)
        if not permanent:
            hidden = (one if one in kept else replace(one, deleted=True) for one in self.versions)
            return replace(self, versions=tuple(hidden))
        ended = {subject for subject, _ in gone} - {one.subject for one in kept}
        levels = {name: level for name, level in self.levels.items() if name not in ended}
        return replace(self, versions=tuple(kept), levels=levels)


class KeptStore:
    """A store, and the file where it is kept.

    Args:
        path: a JSON file that everything is read from and written to; without one, nothing is kept.

    Raises:
        RegistryError: the file cannot be read, or no registry wrote it.
    """

    def __init__(self, path: Path | None) -> None:
        self.store = SchemaStore()
        self._path = None if path is None else Path(path)
        if self._path is not None:
            try:
                self.store = _load(self._path.read_bytes())
            except FileNotFoundError:
                pass
            except (OSError, ValueError) as error:
                raise RegistryError(f"{path} does not hold a registry: {error}") from error

    def replace(self, store: SchemaStore) -> None:
        """Hold another store, once it is in the file; ApiError 50001 if that cannot be written."""
        if self._path is not None:
            try:
                _write(self._path, orjson.dumps(store, option=orjson.OPT_INDENT_2))
            except (OSError, TypeError) as error:  # TypeError: extras are nested too deeply
                _log.error("cannot write %s; nothing was changed: %s", self._path, error)
                raise ApiError(50001, f"nothing was changed: cannot write the file: {error}") from error
        self.store = store


def _load(text: bytes) -> SchemaStore:
    """The store in a file; ValueError if it holds none."""
    try:
        held = orjson.loads(text)
        if held["format"] != _FORMAT:
            raise ValueError(f"its format is {held['format']!r}, not {_FORMAT}")
        return SchemaStore(
            schemas=tuple(_schema(one) for one in held["schemas"]),
            versions=tuple(SubjectVersion(**one) for one in held["versions"]),
            levels={name: Level(level) for name, level in held["levels"].items()},
        )
    except (TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _schema(held: dict[str, Any]) -> StoredSchema:
    return StoredSchema(**{**held, "references": tuple(Reference(**one) for one in held["references"])})


def _write(path: Path, text: bytes) -> None:
    """Replace a file in one step, so that a crash leaves the old content or the new."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(text)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def unknown_subject(subject: str) -> ApiError:
    """The answer if a subject has no versions."""
    return ApiError(40401, f"there is no subject '{subject}'")


def unknown_version(subject: str, number: int) -> ApiError:
    """The answer if a subject does not have a version."""
    name = "no version that is not deleted" if number == LATEST else f"no version {number}"
    return ApiError(40402, f"subject '{subject}' has {name}")


def _still_imported(importer: SubjectVersion, imported: Reference) -> ApiError:
    return ApiError(
        42206,
        f"version {importer.number} of subject '{importer.subject}' imports version {imported.version} "
        f"of subject '{imported.subject}'",
    )
