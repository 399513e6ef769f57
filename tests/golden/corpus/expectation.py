"""What an earlier version must see in an event of a later one, from its own descriptors alone."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_PAYLOAD = "payload"


class EarlierVersion:
    """An earlier version's eyes: Protobuf itself, with the descriptors that were recorded.

    Args:
        descriptors: its contract, with all that it imports.
    """

    def __init__(self, descriptors: FileDescriptorSet) -> None:
        pool = DescriptorPool()
        for file in descriptors.file:
            pool.AddSerializedFile(file.SerializeToString())
        self._envelope: Any = GetMessageClass(pool.FindMessageTypeByName(AuthEvent.DESCRIPTOR.full_name))

    def sees(self, event: AuthEvent, form: str) -> dict[str, Any] | None:
        """The event as it reads it from a format, in canonical JSON; None if it does not know its type.

        Of enum values that it does not know only Protobuf carries the numbers. From JSON they are left out of
        lists (the Protobuf JSON mapping), in Avro they are the unspecified value.
        """
        seen = self._read(event)
        if form != "protobuf":
            _forget_unknown_values(seen, in_lists=[] if form == "json" else [0])
        return json_format.MessageToDict(seen) if seen.WhichOneof(_PAYLOAD) else None

    def _read(self, event: AuthEvent) -> Any:
        return self._envelope.FromString(event.SerializeToString())


def _forget_unknown_values(message: Message, in_lists: list[int]) -> None:
    for field, value in message.ListFields():
        if field.message_type is not None:
            for nested in value if field.is_repeated else [value]:
                _forget_unknown_values(nested, in_lists)
        elif field.enum_type is not None:
            known = field.enum_type.values_by_number
            if field.is_repeated:
                value[:] = [each for number in value for each in ([number] if number in known else in_lists)]
            elif value not in known:
                message.ClearField(field.name)
