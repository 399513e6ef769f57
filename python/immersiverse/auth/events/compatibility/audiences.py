"""Who is affected by a change, and what they are told."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Audience(StrEnum):
    """Who may be affected by a change.

    Attributes:
        PRODUCERS: whoever publishes events.
        CONSUMERS: whoever reads them as Protobuf or Avro, now or from storage.
        JSON: whoever reads or writes them as JSON.
        CODE: whoever compiles against generated code.
        OPERATORS: whoever runs topics, access rules and personal data policies.
    """

    PRODUCERS = "producers"
    CONSUMERS = "consumers"
    JSON = "json"
    CODE = "code"
    OPERATORS = "operators"


class Explanation(NamedTuple):
    """Who is affected, and the sentences to tell them."""

    affects: tuple[Audience, ...]
    text: str


NEW_FIELD = "Add a new field with a new number instead, fill both for a while, and deprecate the old one."
