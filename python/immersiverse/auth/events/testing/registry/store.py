"""What the registry holds: schemas by id, the versions of each subject, compatibility levels. No I/O."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from immersiverse.auth.events.compatibility_level import Level

if TYPE_CHECKING:
    from collections.abc import Iterable

LATEST = -1
"""The number that stands for the latest version that is not deleted."""

_FORMAT = 2


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

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(str(self.code)[:3])


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


@dataclass(slots=True)
class SchemaStore:
    """Everything that a registry holds. It belongs to one thread at a time.

    Attributes:
        schemas: by id.
        subjects: versions by number, by subject.
        level: the compatibility level of subjects without one of their own.
        subject_levels: the others.
        next_id: the id of the next new schema; an id is never used twice.
        revision: a count of changes.
    """

    schemas: dict[int, StoredSchema] = field(default_factory=dict)
    subjects: dict[str, dict[int, SubjectVersion]] = field(default_factory=dict)
    level: Level = Level.BACKWARD
    subject_levels: dict[str, Level] = field(default_factory=dict)
    next_id: int = 1
    revision: int = 0

    def schema(self, schema_id: int) -> StoredSchema:
        """The schema of an id.

        Raises:
            ApiError: 40403.
        """
        if schema_id not in self.schemas:
            raise ApiError(40403, f"no schema has the id {schema_id}")
        return self.schemas[schema_id]

    def id_of(self, guid: str) -> int | None:
        """The id of the schema with a GUID, if there is one."""
        return next((number for number, held in self.schemas.items() if held.guid == guid.lower()), None)

    def versions(self, subject: str, *, deleted: bool = False) -> list[SubjectVersion]:
        """The versions of a subject, oldest first, with deleted ones or without; none if it is unknown."""
        held = self.subjects.get(subject, {})
        return [held[number] for number in sorted(held) if deleted or not held[number].deleted]

    def version(self, subject: str, number: int, *, deleted: bool = False) -> SubjectVersion:
        """One version of a subject. `LATEST` is never a deleted one.

        Raises:
            ApiError: 40401, 40402.
        """
        versions = self.versions(subject, deleted=deleted)
        if not versions:
            raise unknown_subject(subject)
        for version in reversed(versions):
            if version.number == number or (number == LATEST and not version.deleted):
                return version
        raise unknown_version(subject, number)

    def all_versions(self, *, deleted: bool = False) -> list[SubjectVersion]:
        """Every version, by subject and number."""
        return [one for subject in sorted(self.subjects) for one in self.versions(subject, deleted=deleted)]

    def versions_of(self, schema_id: int, *, deleted: bool = False) -> list[SubjectVersion]:
        """The versions of all subjects that have an id."""
        return [version for version in self.all_versions(deleted=deleted) if version.schema_id == schema_id]

    def add(self, subject: str, schema: StoredSchema) -> SubjectVersion:
        """Make a new version of a subject."""
        schema_id = self.id_of(schema.guid)
        if schema_id is None:
            schema_id, self.next_id = self.next_id, self.next_id + 1
            self.schemas[schema_id] = schema
        version = SubjectVersion(subject, max(self.subjects.get(subject, {}), default=0) + 1, schema_id)
        self._put(version)
        return version

    def delete_subject(self, subject: str, *, permanent: bool) -> list[SubjectVersion]:
        """Delete every version of a subject: first softly, then permanently.

        Raises:
            ApiError: 40401, 40404, 40405, 42206.
        """
        versions = self.versions(subject, deleted=permanent)
        if not versions and not self.versions(subject, deleted=True):
            raise unknown_subject(subject)
        if not versions:
            raise ApiError(40404, f"subject '{subject}' is deleted already; permanent=true removes it")
        for version in versions:
            self._check_importers(version, {subject}, permanent=permanent)
            if permanent and not version.deleted:
                raise ApiError(40405, f"delete subject '{subject}' without permanent=true first")
        self._delete(versions, permanent=permanent)
        return versions

    def delete_version(self, subject: str, number: int, *, permanent: bool) -> SubjectVersion:
        """Delete a version of a subject: first softly, then permanently.

        Raises:
            ApiError: 40401, 40402, 40406, 40407, 42206.
        """
        version = self.version(subject, number, deleted=True)
        name = f"version {version.number} of subject '{subject}'"
        if version.deleted and not permanent:
            raise ApiError(40406, f"{name} is deleted already; permanent=true removes it")
        self._check_importers(version, set(), permanent=permanent)
        if permanent and not version.deleted:
            raise ApiError(40407, f"delete {name} without permanent=true first")
        self._delete([version], permanent=permanent)
        return version

    def level_of(self, subject: str) -> Level:
        """The compatibility level that a subject has."""
        return self.subject_levels.get(subject, self.level)

    def set_level(self, subject: str | None, level: Level | None) -> None:
        """Set the level of a subject or, with None, of all others; the level None is the default."""
        if subject is None:
            self.level = level or Level.BACKWARD
        elif level is None:
            self.subject_levels.pop(subject, None)
        else:
            self.subject_levels[subject] = level
        self.revision += 1

    def dump(self) -> bytes:
        """Everything as JSON."""
        document = {
            "format": _FORMAT,
            "nextId": self.next_id,
            "schemas": {number: asdict(schema) for number, schema in self.schemas.items()},
            "versions": [asdict(version) for version in self.all_versions(deleted=True)],
            "level": self.level,
            "subjectLevels": self.subject_levels,
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def load(cls, text: bytes) -> Self:
        """The store that `dump` wrote.

        Raises:
            ValueError: `dump` did not write this.
        """
        try:
            return cls._of(json.loads(text))
        except (TypeError, LookupError, AttributeError, RecursionError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    @classmethod
    def _of(cls, document: Any) -> Self:
        if document["format"] != _FORMAT:
            raise ValueError(f"its format is {document['format']!r}, not {_FORMAT}")
        store = cls(
            schemas={int(number): _stored_schema(held) for number, held in document["schemas"].items()},
            level=Level(document["level"]),
            subject_levels={name: Level(level) for name, level in document["subjectLevels"].items()},
            next_id=document["nextId"],
        )
        for held in document["versions"]:
            store._put(SubjectVersion(**held))
        return store

    def _put(self, version: SubjectVersion) -> None:
        self.subjects.setdefault(version.subject, {})[version.number] = version
        self.revision += 1

    def _check_importers(self, version: SubjectVersion, besides: set[str], *, permanent: bool) -> None:
        imported = (version.subject, version.number)
        for other in self.all_versions(deleted=permanent):
            references = self.schemas[other.schema_id].references
            if other.subject not in besides and imported in (
                (one.subject, one.version) for one in references
            ):
                raise ApiError(
                    42206,
                    f"version {other.number} of subject '{other.subject}' imports version {version.number} "
                    f"of subject '{version.subject}'",
                )

    def _delete(self, versions: Iterable[SubjectVersion], *, permanent: bool) -> None:
        for version in versions:
            if permanent:
                self._remove(version)
            else:
                self._put(replace(version, deleted=True))
        self.revision += 1

    def _remove(self, version: SubjectVersion) -> None:
        """Remove a version, and with the last one of a schema or subject what is known of that."""
        del self.subjects[version.subject][version.number]
        if not self.subjects[version.subject]:
            del self.subjects[version.subject]
            self.subject_levels.pop(version.subject, None)
        if not self.versions_of(version.schema_id, deleted=True):
            del self.schemas[version.schema_id]


def unknown_subject(subject: str) -> ApiError:
    """The answer if a subject has no versions."""
    return ApiError(40401, f"there is no subject '{subject}'")


def unknown_version(subject: str, number: int) -> ApiError:
    """The answer if a subject does not have a version."""
    name = "no version that is not deleted" if number == LATEST else f"no version {number}"
    return ApiError(40402, f"subject '{subject}' has {name}")


def _stored_schema(held: Any) -> StoredSchema:
    references = tuple(Reference(**reference) for reference in held["references"])
    return StoredSchema(**{**held, "references": references})
