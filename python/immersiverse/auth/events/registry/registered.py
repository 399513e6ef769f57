"""One version of a subject, as a registry tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from immersiverse.auth.events.serialization.schemas import SchemaType


@dataclass(frozen=True, slots=True)
class Registered:
    """One version of a subject.

    Attributes:
        subject: the subject.
        version: the version under it, from 1.
        id: the id that frames carry.
        schema_type: the schema's type.
    """

    subject: str
    version: int
    id: int
    schema_type: SchemaType
