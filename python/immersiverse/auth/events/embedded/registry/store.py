"""The registry's state: contents by id, versions by subject, levels and modes; no I/O, no judgement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.embedded.registry.refusals import (
    schema_not_found,
    subject_not_found,
    version_not_found,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from immersiverse.auth.events.embedded.registry.records import Content, Version

LATEST = -1
"""The version number that stands for the last one not deleted."""


@dataclass(slots=True)
class Settings:
    """Compatibility levels or modes: one for all, and those of single subjects."""

    everywhere: str
    by_subject: dict[str, str] = field(default_factory=dict)

    def of(self, subject: str) -> str:
        """What holds for the subject."""
        return self.by_subject.get(subject, self.everywhere)

    def put(self, subject: str, value: str | None) -> None:
        """Let a value hold for the subject, or with None what holds for all."""
        if value is None:
            self.by_subject.pop(subject, None)
        else:
            self.by_subject[subject] = value


@dataclass(slots=True)
class Store:
    """Everything a registry knows; hold `lock` for as long as a decision depends on it.

    Attributes:
        revision: grows with every change, so that a keeper knows when to write.
        next_id: the id of the next new content; ids are never given twice.
    """

    contents: dict[int, Content] = field(default_factory=dict)
    subjects: dict[str, dict[int, Version]] = field(default_factory=dict)
    levels: Settings = field(default_factory=lambda: Settings(Level.BACKWARD))
    modes: Settings = field(default_factory=lambda: Settings("READWRITE"))
    next_id: int = 1
    revision: int = 0
    lock: RLock = field(default_factory=RLock, repr=False)

    def content(self, schema_id: int) -> Content:
        """The schema under an id, softly deleted or not.

        Raises:
            Refusal: 40403.
        """
        try:
            return self.contents[schema_id]
        except KeyError:
            raise schema_not_found(schema_id) from None

    def id_of(self, guid: str) -> int | None:
        """The id of the content with this GUID, if it is held."""
        return next((number for number, held in self.contents.items() if held.guid == guid), None)

    def versions(self, subject: str, *, deleted: bool = False) -> list[Version]:
        """The subject's versions, oldest first; empty for an unknown subject."""
        held = self.subjects.get(subject, {})
        return [held[number] for number in sorted(held) if deleted or not held[number].deleted]

    def version(self, subject: str, number: int, *, deleted: bool = False) -> Version:
        """One version, or with `LATEST` the last that is not deleted, whatever else is asked.

        Raises:
            Refusal: 40401, 40402.
        """
        versions = self.versions(subject, deleted=deleted)
        if not versions:
            raise subject_not_found(subject)
        if number == LATEST:
            found = next((version for version in reversed(versions) if not version.deleted), None)
        else:
            found = next((version for version in versions if version.number == number), None)
        if found is None:
            raise version_not_found(number)
        return found

    def every_version(self, *, deleted: bool = False) -> list[Version]:
        """All versions of all subjects, by subject's name and number."""
        return [
            version
            for subject in sorted(self.subjects)
            for version in self.versions(subject, deleted=deleted)
        ]

    def holders(self, schema_id: int, *, deleted: bool = False) -> list[Version]:
        """The versions that have this id."""
        return [version for version in self.every_version(deleted=deleted) if version.schema_id == schema_id]

    def referrers(self, version: Version, *, deleted: bool = False) -> list[Version]:
        """The versions whose schemas import this one."""
        wanted = (version.subject, version.number)
        return [
            holder
            for holder in self.every_version(deleted=deleted)
            if any((ref.subject, ref.version) == wanted for ref in self.contents[holder.schema_id].references)
        ]

    def identify(self, content: Content, schema_id: int | None = None) -> int:
        """The id of the content, which is kept under a new one (or the one given) if it is unknown."""
        known = self.id_of(content.guid)
        if known is not None and schema_id in {None, known}:
            return known
        number = schema_id if schema_id is not None else self.next_id
        self.contents[number] = content
        self.next_id = max(self.next_id, number + 1)
        return number

    def keep(self, version: Version) -> None:
        """Add the version, or put it in the place of the one with its number."""
        self.subjects.setdefault(version.subject, {})[version.number] = version
        self.revision += 1

    def hide(self, versions: Iterable[Version]) -> None:
        """Delete softly."""
        for version in versions:
            self.keep(replace(version, deleted=True))

    def forget(self, versions: Iterable[Version]) -> None:
        """Delete for good, with what nobody holds any more: contents, a subject's level and its mode."""
        for version in versions:
            del self.subjects[version.subject][version.number]
            if not self.subjects[version.subject]:
                del self.subjects[version.subject]
                self.levels.by_subject.pop(version.subject, None)
                self.modes.by_subject.pop(version.subject, None)
            if not self.holders(version.schema_id, deleted=True):
                del self.contents[version.schema_id]
        self.revision += 1
