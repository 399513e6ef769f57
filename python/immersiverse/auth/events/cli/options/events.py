"""The options for formats of events and schemas, and for how events are written."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from typer import Option

from immersiverse.auth.events.cli.options.registry import RegistryOptions
from immersiverse.auth.events.cli.output import WRONG_USE, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from immersiverse.auth.events.catalog import EventType
    from immersiverse.auth.events.serialization.schemas import SchemaIds, SchemaType
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class EventFormat(StrEnum):
    """The encoding of events."""

    PROTOBUF = "protobuf"
    JSON = "json"
    AVRO = "avro"


class SchemaFormat(StrEnum):
    """The schemas of which encoding."""

    ALL = "all"
    PROTOBUF = "protobuf"
    AVRO = "avro"

    @property
    def types(self) -> tuple[SchemaType, ...]:
        """Their types by the registry's names."""
        both: tuple[SchemaType, ...] = ("PROTOBUF", "AVRO")
        return tuple(each for each in both if self is SchemaFormat.ALL or each == self.upper())


class SchemaForm(StrEnum):
    """The representation of a Protobuf schema."""

    TEXT = "text"
    DESCRIPTOR = "descriptor"


class PersonalDataClass(StrEnum):
    """The contract's classes of personal data, as `privacy.CLASSES` reads them; help need not load that."""

    PSEUDONYM = "pseudonym"
    NETWORK = "network"
    CONTACT = "contact"


def find_event_type(name: str) -> EventType:
    """The event type of a name in any spelling; CommandFailed names the closest if there is none."""
    from immersiverse.auth.events.catalog import EVENT_TYPES, find
    from immersiverse.auth.events.suggestions import closest_name

    by_lower_case = {known.lower(): known for known in EVENT_TYPES}
    found = find(by_lower_case.get(name.lower(), name))
    if found is None:
        closest = closest_name(name, EVENT_TYPES)
        hint = f"did you mean {closest}?" if closest else "auth-events catalog lists all"
        raise CommandFailed(f"there is no event {name!r}; {hint}", WRONG_USE)
    return found


@dataclass(frozen=True, slots=True)
class EncodingOptions(RegistryOptions):
    """How events are written, and where schema ids come from."""

    format: EventFormat = Option(EventFormat.PROTOBUF, "--format", "-f", help="How to write them.")
    schema_id: int | None = Option(
        None, "--schema-id", metavar="ID", min=0, help="The id for frames; no registry is asked then."
    )

    lenient: bool = Option(False, "--lenient", help="Leave out fields and values that the contract lacks.")

    def line_reader(self) -> Callable[[bytes], AuthEvent]:
        """What reads a line that a person wrote; it raises DecodeError, or InvalidEvent."""
        from immersiverse.auth.events.serialization.json.strict import require_known_names
        from immersiverse.auth.events.serialization.text import read_event_line

        def read_strictly(line: bytes) -> AuthEvent:
            require_known_names(line)
            return read_event_line(line)

        return read_event_line if self.lenient else read_strictly

    def schema_ids(self) -> AbstractContextManager[SchemaIds | None]:
        """Where ids come from; nowhere for JSON, which has none."""
        if self.format is EventFormat.JSON:
            return nullcontext()
        if self.schema_id is None:
            return self.connected()
        from immersiverse.auth.events.serialization.schemas import PinnedSchemas

        return nullcontext(PinnedSchemas(protobuf=self.schema_id, avro=self.schema_id))
