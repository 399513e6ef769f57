"""A recorded release, as it lies in its folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from golden.corpus.forms import Forms, Schemas

GOLDEN = Path(__file__).parents[1]
SUMS = "SHA256SUMS"
DESCRIPTORS = "contract.binpb"
AVRO = "contract.avsc"
EVENTS = "events"
CONTRACT_FILE = "immersiverse/auth/events/v1/events.proto"


@dataclass(frozen=True)
class RecordedCase:
    """One recorded event.

    Attributes:
        event_type: its type's short name.
        name: what is special about it.
        forms: the event in every form, as the release wrote it.
    """

    event_type: str
    name: str
    forms: Forms


@dataclass(frozen=True)
class Release:
    """A recorded release.

    Attributes:
        folder: where it lies; named like its version.
    """

    folder: Path

    @property
    def version(self) -> str:
        """Its version."""
        return self.folder.name

    @property
    def wheel(self) -> Path:
        """The wheel that was released."""
        return next(self.folder.glob("*.whl"))

    @cached_property
    def descriptors(self) -> FileDescriptorSet:
        """Its contract, with all that it imports."""
        return FileDescriptorSet.FromString((self.folder / DESCRIPTORS).read_bytes())

    @cached_property
    def schemas(self) -> Schemas:
        """What a registry would know of it."""
        return Schemas(self._contract, (self.folder / AVRO).read_text())

    def cases(self) -> Iterator[RecordedCase]:
        """Every recorded event."""
        for path in sorted((self.folder / EVENTS).glob("*.json")):
            for name, document in json.loads(path.read_text()).items():
                yield RecordedCase(path.stem, name, Forms.of_document(document))

    def faults(self) -> list[str]:
        """What is not as it was recorded, a line each; none if nothing was touched."""
        recorded = recorded_sums(self.folder)
        found = sums(self.folder)
        names = sorted(recorded.keys() | found.keys())
        return [
            f"{self.folder.name}/{name}: {_fault(name, recorded, found)}"
            for name in names
            if recorded.get(name) != found.get(name)
        ]

    @property
    def _contract(self) -> FileDescriptorProto:
        return next(file for file in self.descriptors.file if file.name == CONTRACT_FILE)


def releases(golden: Path = GOLDEN) -> list[Release]:
    """Every recorded release, the oldest first."""
    folders = [path.parent for path in golden.glob(f"*/{SUMS}")]
    return [Release(folder) for folder in sorted(folders, key=_order)]


def sums(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file but the list of them, by path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != SUMS
    }


def recorded_sums(folder: Path) -> dict[str, str]:
    """What the list says; its lines are those of sha256sum, which can check it, too."""
    lines = (folder / SUMS).read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def _fault(name: str, recorded: dict[str, str], found: dict[str, str]) -> str:
    if name not in found:
        return "is missing"
    return "was edited" if name in recorded else "was added"


def _order(folder: Path) -> tuple[tuple[int, str], ...]:
    """Versions in their order: 0.10.0 comes after 0.9.0."""
    return tuple((int(part) if part.isdigit() else -1, part) for part in folder.name.split("."))
