"""Redact personal data from events before they are shown. Pure.

Which fields are personal data, and of which class, is read from the contract's options.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from immersiverse.auth.events import catalog
from immersiverse.auth.events.events import event_type_of
from immersiverse.auth.events.serialization.json.codec import envelope_fields, write_json
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from immersiverse.auth.events.serialization.unknown import Decoded

WITHHELD: Final = "[withheld]"

CLASSES: Final[Mapping[str, int]] = {
    name: number for number, name in enumerate(catalog.PERSONAL_DATA) if name
}
"""The contract's classes of personal data by name, from the least sensitive to the most."""

_ENVELOPE: Final = envelope_fields(AuthEvent.DESCRIPTOR)
# Headers without personal data; any other header may hold some.
_NOT_PERSONAL: Final = frozenset(
    {
        *("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"),
        *("traceparent", "__value_schema_id", "auth-events-redrives", "auth-events-redrive-group"),
    }
)


@dataclass(frozen=True, slots=True)
class Redaction:
    """Withholds personal data of a class and of all more sensitive classes.

    Attributes:
        least: the least sensitive class that is withheld, by its number in the contract.
    """

    least: int

    def event(self, event: AuthEvent) -> dict[str, Any]:
        """The event in its JSON form; each value of these classes is replaced by one of the same type."""
        document: dict[str, Any] = orjson.loads(write_json(event))
        self._withhold(document["payload"], (field.descriptor for field in event_type_of(event).fields))
        self.envelope(document)
        return document

    def envelope(self, document: dict[str, Any]) -> None:
        """Withhold personal data outside the payload, in the JSON form of an event."""
        self._withhold(document, _ENVELOPE)

    def key(self, key: bytes | None, event: Decoded | None) -> str | None:
        """A message's key; withheld if it is a withheld value, or no field of the event."""
        if key is None:
            return None
        text = key.decode(errors="replace")
        return text if self._may_show(text, event) else WITHHELD

    def headers(self, headers: Iterable[tuple[str, bytes | None]]) -> list[tuple[str, str | None]]:
        """A message's headers; the values of those that may hold personal data are withheld."""
        return [
            (name, value.decode(errors="replace") if value is not None else None)
            if name in _NOT_PERSONAL
            else (name, WITHHELD)
            for name, value in headers
        ]

    def _may_show(self, key: str, event: Decoded | None) -> bool:
        if not isinstance(event, AuthEvent):
            return False
        kind = event_type_of(event)
        payload = getattr(event, kind.payload_field)
        named = [f for f in kind.fields if f.name in kind.partition_key and getattr(payload, f.name) == key]
        return bool(named) and all(catalog.sensitivity(f.descriptor) < self.least for f in named)

    def _withhold(self, document: dict[str, Any], fields: Iterable[FieldDescriptor]) -> None:
        for field in fields:
            if field.json_name not in document:
                continue
            if catalog.sensitivity(field) >= self.least:
                document[field.json_name] = _blank(document[field.json_name])
            elif (message := _message_of(field)) is not None:
                items = document[field.json_name]
                for item in items if isinstance(items, list) else (items,):
                    self._withhold(item, message.fields)


def _message_of(field: FieldDescriptor) -> Descriptor | None:
    """The type of a field whose JSON form is an object with fields of its own, or a list of such."""
    kind = field.message_type
    return None if kind is None or kind.full_name.startswith("google.protobuf.") else kind


def _blank(value: Any) -> Any:
    """A value of the same type without content."""
    if isinstance(value, str):
        return WITHHELD
    if isinstance(value, list):
        return [_blank(item) for item in value]
    if isinstance(value, dict):
        return {name: _blank(item) for name, item in value.items()}
    return type(value)()
