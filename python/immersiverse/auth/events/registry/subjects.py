"""Under which subject a registry keeps the contract for a topic.

Source: Confluent's subject name strategies. A subject holds schemas of one type, so Protobuf goes by topic
and Avro by record unless told otherwise, and both can be registered side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from immersiverse.auth.events.serialization.schemas import SchemaType

Strategy = Literal["topic", "record", "topic-record"]
"""Names of the strategies."""

DEFAULT_STRATEGIES: Final[Mapping[SchemaType, Strategy]] = {"PROTOBUF": "topic", "AVRO": "record"}

RECORD: Final = AuthEvent.DESCRIPTOR.full_name


def subject(topic: str, strategy: Strategy) -> str:
    """The subject of values on a topic.

    Raises:
        ValueError: if there is no such strategy.
    """
    match strategy:
        case "topic":
            return f"{topic}-value"
        case "record":
            return RECORD
        case "topic-record":
            return f"{topic}-{RECORD}"
    raise ValueError(f"no subject name strategy {strategy!r}: choose topic, record or topic-record")
