"""What the registry remembers: schemas by content, and the versions that point to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JSON = Any
"""A value as `json` reads and writes it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A schema's import: the name it is imported by, and the version that answers for it."""

    name: str
    subject: str
    version: int

    def as_json(self) -> dict[str, JSON]:
        """The reference as requests and answers write it."""
        return {"name": self.name, "subject": self.subject, "version": self.version}


@dataclass(frozen=True, slots=True)
class Content:
    """A schema apart from any subject; equal content has one id, wherever it is registered.

    Attributes:
        schema_type: ``AVRO``, ``PROTOBUF`` or ``JSON``.
        schema: the schema as it is stored: base64 of a descriptor for Protobuf, else the text given.
        guid: a UUID made from the content alone, so that it outlives the registry.
        references: in the order given.
        metadata: kept and given back, not acted on.
        rule_set: kept and given back, not acted on.
    """

    schema_type: str
    schema: str
    guid: str
    references: tuple[Reference, ...] = ()
    metadata: JSON = None
    rule_set: JSON = None

    def as_json(self) -> dict[str, JSON]:
        """The content as a request to register it writes it."""
        return {
            "schema": self.schema,
            "schemaType": self.schema_type,
            "references": [reference.as_json() for reference in self.references],
            "metadata": self.metadata,
            "ruleSet": self.rule_set,
        }


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a subject; deleted softly it still answers for those who hold its id."""

    subject: str
    number: int
    schema_id: int
    deleted: bool = False
