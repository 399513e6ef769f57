"""Options in the one form that identity compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.unknown_fields import UnknownFieldSet

from immersiverse.auth.events.protofile._schema import Schema, options_type
from immersiverse.auth.events.protofile._value import decode, encode

if TYPE_CHECKING:
    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class OptionNormalizer:
    """Writes options by number, merged as far as a schema knows them.

    Attributes:
        schema: the option messages and their extensions.
    """

    schema: Schema

    def normalize(self, element: Message) -> None:
        """Change an element's options in place; drop them if they are empty.

        Raises:
            Malformed: they are not what the schema says.
        """
        if not element.HasField("options"):
            return
        options: Any = element.options  # type: ignore[attr-defined]  # every element here has options
        data = options.SerializePartialToString(deterministic=True)
        if not data:
            element.ClearField("options")
        elif len(UnknownFieldSet(options)) or self._has_features(options):
            options.Clear()
            options.MergeFromString(encode(decode(self.schema, options_type(element), data)))

    @staticmethod
    def _has_features(options: Any) -> bool:
        return "features" in options.DESCRIPTOR.fields_by_name and options.HasField("features")
