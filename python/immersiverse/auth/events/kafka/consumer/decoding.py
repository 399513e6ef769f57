"""From a record to an event and how it is handled; in a thread where a registry must be asked.

`RecordDecoder` owns the threads that wait for a registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import DecodeError
from immersiverse.auth.events.kafka.consumer.failures import Failure
from immersiverse.auth.events.kafka.consumer.records import DecodedRecord, Invocation
from immersiverse.auth.events.kafka.workers import Workers
from immersiverse.auth.events.printable import capped, printable
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.kafka.consumer.handlers import Handler, Handlers
    from immersiverse.auth.events.kafka.consumer.options import UnknownPolicy
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
    from immersiverse.auth.events.serialization.unknown import Decoded
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_LOOKUPS = 4  # schemas that are looked up at the same time
_MAX_NAME = 100  # characters of a type's name in an error


class UnknownEventType(DecodeError):
    """The contract does not know an event's type, and the subscriber's policy is to dead-letter it."""


def _skip(_event: Decoded | None, _field: str, _record: Record, _attempt: int) -> None:
    """Finish an event without a handler."""


SKIPPED: Final = Invocation(_skip, waits=False)
"""How events without a handler are handled."""


class RecordDecoder:
    """Decodes records for the handlers of one subscriber.

    Attributes:
        read_known: `AuthEventDeserializer.read_known`.
        may_wait: whether decoding a record may wait for a registry, since its schema is not known yet.
        by_field: how events of the contract are handled, by the envelope's payload field.
    """

    def __init__(
        self,
        deserializer: AuthEventDeserializer,
        handlers: Handlers,
        invocation_of: Callable[[Handler], Invocation],
        unknown: UnknownPolicy,
    ) -> None:
        self._read = deserializer.read
        self.read_known = deserializer.read_known
        self.may_wait = deserializer.may_wait
        self.by_field = dict.fromkeys(catalog.BY_PAYLOAD_FIELD, SKIPPED) | {
            field: invocation_of(handler) for field, handler in handlers.by_field.items()
        }
        self._unknown = invocation_of(handlers.unknown) if handlers.unknown else None
        self._refuses_unknown = handlers.unknown is None and unknown == "dead-letter"
        self._threads = Workers(_LOOKUPS, "auth-events-reader")

    @property
    def is_asking(self) -> bool:
        """Whether a thread asks a registry."""
        return self._threads.busy

    def known(self, event: AuthEvent, field: str) -> DecodedRecord:
        """What `read_known` decoded, with how it is handled."""
        return DecodedRecord(event, field, self.by_field[field])

    def decode(self, record: Record) -> DecodedRecord | Failure:
        """Decode a record in this thread; it blocks while the registry is asked."""
        try:
            event, field = self._read(record)
            invocation = self.by_field[field] if field else self._invocation_without_field(event)
        except Exception as error:  # noqa: BLE001 - whatever decoding raises
            return Failure(record, error, while_decoding=True)
        return DecodedRecord(event, field, invocation)

    async def decode_in_thread(
        self, record: Record, is_needed: Callable[[], bool]
    ) -> DecodedRecord | Failure | None:
        """Decode a record without blocking the event loop.

        Args:
            record: the record.
            is_needed: is asked once more when a thread is free; without need the answer is None.
        """
        return await self._threads.run(lambda: self.decode(record) if is_needed() else None)

    def close(self) -> None:
        """End the threads, each when it has an answer."""
        self._threads.close()

    def _invocation_without_field(self, event: Decoded | None) -> Invocation:
        """Of tombstones and unknown types."""
        if not isinstance(event, UnknownEvent):
            return SKIPPED
        if self._refuses_unknown:
            name = printable(capped(event.event_type, _MAX_NAME))
            raise UnknownEventType(f"the contract of this version has no event type {name}")
        return self._unknown or SKIPPED
