"""What each kind of change means for people: who is affected, why, and what to do instead."""

from __future__ import annotations

from typing import NamedTuple

from immersiverse.auth.events.compatibility_level import Direction
from immersiverse.auth.events.schema_checks.kinds import Audience
from immersiverse.auth.events.schema_checks.kinds import ChangeKind as Kind


class Explanation(NamedTuple):
    """Who is affected, and what they should know."""

    affects: tuple[Audience, ...]
    text: str


def explanation(kind: Kind, direction: Direction) -> Explanation:
    """The explanation of a change, seen by the readers of a direction."""
    forward = direction is Direction.FORWARD and kind in _FORWARD
    who, _, text = (_FORWARD if forward else _BACKWARD)[kind].partition(" | ")
    return Explanation(tuple(audience for audience in Audience if audience in who.split(", ")), text)


_NEW_FIELD = "Add a new field with a new number instead, fill both for a while, and deprecate the old one."

# "who is affected | why, and what to do instead"
_BACKWARD = {
    # Protobuf, as the registry judges it.
    Kind.PACKAGE_CHANGED: "producers, consumers, code | Every full name changes, so consumers find none of "
    "the types they know. Keep the package; a new package is a new file with its own topics, published "
    "beside the old one.",
    Kind.MESSAGE_ADDED: "no reader | Safe: no data of this type exists yet.",
    Kind.MESSAGE_REMOVED: "consumers, code | Consumers can no longer read the stored events that hold this "
    "message. Keep it, mark it deprecated, and stop publishing it.",
    Kind.MESSAGE_MOVED: "no reader | Safe: frames name a message by its place in their writer's schema, "
    "not in the reader's.",
    Kind.ENUM_ADDED: "no reader | Safe: no data of this type exists yet.",
    Kind.ENUM_REMOVED: "json, code | Protobuf still carries the numbers, but JSON names no longer parse, "
    "and generated code loses it. Keep the enum and mark it deprecated.",
    Kind.ENUM_CONST_ADDED: "consumers | Safe: a consumer that does not know the value treats it as the "
    "unspecified one.",
    Kind.ENUM_CONST_CHANGED: "json, code | Protobuf still carries the number, but JSON with the old name "
    "no longer parses. Keep the name; add a new value if the meaning is new.",
    Kind.ENUM_CONST_REMOVED: "consumers, json, code | Consumers no longer know the value in stored events, "
    "and JSON that names it no longer parses. Keep the value and mark it deprecated.",
    Kind.FIELD_ADDED: "no reader | Safe: readers ignore or keep a field that they do not know.",
    Kind.FIELD_REMOVED: "consumers, code | No reader fails to decode, but consumers no longer see the "
    "value. Reserve its number and name, so that neither comes back with another meaning.",
    Kind.FIELD_NAME_CHANGED: "json, code | Protobuf does not carry names, but JSON and generated code do. "
    "Keep the name; a new name is a new field with a new number.",
    Kind.FIELD_KIND_CHANGED: "producers, consumers, json, code | A scalar, a message and a map read each "
    f"other's bytes as garbage. {_NEW_FIELD}",
    Kind.FIELD_SCALAR_KIND_CHANGED: "producers, consumers, json, code | The two types differ in bytes, so "
    f"each reads the other's values wrong or not at all. {_NEW_FIELD}",
    Kind.FIELD_NAMED_TYPE_CHANGED: "producers, consumers, json, code | The field's message is another one, "
    f"or changed incompatibly. {_NEW_FIELD}",
    Kind.FIELD_NUMERIC_LABEL_CHANGED: "producers, consumers, json, code | One reader takes many numbers "
    f"where the other takes one: values are lost or refused. {_NEW_FIELD}",
    Kind.FIELD_STRING_OR_BYTES_LABEL_CHANGED: "consumers, json, code | Protobuf readers of a single value "
    f"take the last of many; JSON readers fail on a list. {_NEW_FIELD}",
    Kind.REQUIRED_FIELD_ADDED: "producers, consumers | Consumers refuse every stored event, since it lacks "
    "the field. Add it as optional.",
    Kind.REQUIRED_FIELD_REMOVED: "producers, consumers | Consumers on the old version refuse every new "
    "event, since it lacks the field. Keep the field.",
    Kind.ONEOF_ADDED: "no reader | Safe, as long as the fields in it could not be set together before.",
    Kind.ONEOF_REMOVED: "code | Protobuf does not carry the oneof, but generated code loses it, and its "
    "fields may be set together. Keep the oneof.",
    Kind.ONEOF_FIELD_ADDED: "consumers | Safe: a consumer that does not know the field sees the oneof "
    "unset and keeps the bytes.",
    Kind.ONEOF_FIELD_REMOVED: "consumers, code | Consumers find the oneof unset in stored events that set "
    "this field. Keep the field, mark it deprecated, and stop setting it.",
    Kind.ONEOF_FIELD_MOVED_TO_TOP_LEVEL: "code | Protobuf reads the same bytes, but generated code loses "
    "the case, and the field may now be set together with the others. Keep it in the oneof.",
    Kind.MULTIPLE_FIELDS_MOVED_TO_ONEOF: "consumers, code | Stored events may set several of these fields, "
    "and consumers keep only the last of them. Leave them where they are; put new fields into a new oneof.",
    Kind.FIELD_MOVED_TO_EXISTING_ONEOF: "consumers, code | Stored events may set this field beside another "
    "of the oneof, and consumers keep only the last. Leave it where it is; add a new field to the oneof.",
    # Avro.
    Kind.NAME_MISMATCH: "producers, consumers | Readers find another type where they expect theirs. Keep "
    "the name, or add the old one as an alias.",
    Kind.FIXED_SIZE_MISMATCH: "producers, consumers | Readers take the wrong number of bytes and lose "
    "their place. Add a new field of the new size.",
    Kind.MISSING_ENUM_SYMBOLS: "consumers | Readers fail on a symbol that they do not know. Keep every "
    "symbol, and give the enum a default.",
    Kind.READER_FIELD_MISSING_DEFAULT_VALUE: "consumers | Readers have nothing to put into a field that "
    "the writer does not write. Give the field a default.",
    Kind.TYPE_MISMATCH: "producers, consumers | Readers cannot turn the written type into theirs. Add a "
    "new field with a default instead.",
    Kind.MISSING_UNION_BRANCH: "consumers | Readers fail on a branch that they do not have. Keep every "
    "branch that was ever written.",
    # What only the strict rules report.
    Kind.SYNTAX_CHANGED: "consumers, code | Presence of fields and unknown enum values mean something else "
    "from now on. Keep the syntax.",
    Kind.FILE_OPTION_CHANGED: "code | Generated code moves to another package or class, so users no longer "
    "compile. Keep the option.",
    Kind.FIRST_MESSAGE_CHANGED: "consumers | Frames name the envelope by being the file's first message, "
    "and readers check that before they look anything up. Keep it first and add new messages below.",
    Kind.FIELD_TYPE_CHANGED: "producers, consumers, json, code | Even where the bytes agree, JSON writes "
    f"the two types differently, values may be cut, and generated code no longer compiles. {_NEW_FIELD}",
    Kind.FIELD_CARDINALITY_CHANGED: "producers, consumers, json, code | JSON readers meet a list instead "
    f"of a value or the reverse; others lose values. {_NEW_FIELD}",
    Kind.FIELD_PRESENCE_CHANGED: "consumers, code | Readers can no longer distinguish an absent value from "
    f"zero, or now can: old events have no value where new ones have zero, or the reverse. {_NEW_FIELD}",
    Kind.FIELD_JSON_NAME_CHANGED: "json | JSON readers no longer find the field under its name, and JSON "
    "with the old name no longer parses. Keep the JSON name.",
    Kind.FIELD_DEFAULT_CHANGED: "consumers | Stored events that leave the field out mean something else "
    f"from now on. {_NEW_FIELD}",
    Kind.FIELD_ONEOF_CHANGED: "consumers, code | Generated code finds the field in another place, and "
    "other fields now exclude it or no longer do. Leave it where it is; add a new field instead.",
    Kind.ENUM_WITHOUT_ZERO: "consumers | Readers have no value for what is absent or unknown. Begin the "
    "enum with an _UNSPECIFIED = 0.",
    Kind.ENUM_DEFAULT_CHANGED: "consumers | The first value of an enum is what absence means: stored "
    "events without the field mean something else from now on. Keep it first.",
    Kind.FEATURES_CHANGED: "producers, consumers, json, code | Features decide how bytes and JSON are "
    "written and what absence means. Keep them; a field with others is a new field.",
    Kind.EXTENSION_ADDED: "no reader | Safe: readers ignore or keep a field that they do not know.",
    Kind.EXTENSION_CHANGED: "producers, consumers, json, code | Extension fields are fields: data and "
    "options that hold them are read wrong or lost. Keep it, and declare a new one with a new number.",
    Kind.RPC_ADDED: "no reader | Safe: no caller knows it yet.",
    Kind.RPC_CHANGED: "producers, consumers, code | Callers and servers of the old method no longer "
    "understand each other. Keep it, and add a new method.",
    Kind.NUMBER_NOT_RESERVED: "consumers | The number can be used again with a new meaning, and stored "
    "events would be read by it. Reserve the number.",
    Kind.NAME_NOT_RESERVED: "json | The name can be used again with a new meaning, and stored JSON would "
    "be read by it. Reserve the name.",
    Kind.RESERVED_NUMBER_DROPPED: "consumers | A reserved number becomes free for a new meaning. Keep it "
    "reserved.",
    Kind.RESERVED_NAME_DROPPED: "json | A reserved name becomes free for a new meaning. Keep it reserved.",
    Kind.RESERVED_NUMBER_REUSED: "consumers | The number was reserved: stored events may hold it with "
    "another meaning. Take a number never used.",
    Kind.RESERVED_NAME_REUSED: "json | The name was reserved: stored JSON may hold it with another "
    "meaning. Take a name never used.",
    Kind.CONTRACT_OPTION_CHANGED: "producers, consumers, operators | Events appear on a topic without "
    "subscribers and access rules, or under another source. Set up the new name, move the consumers to it, "
    "then change the option.",
    Kind.EVENT_ADDED: "operators | Safe: consumers skip an event type that they do not know.",
    Kind.EVENT_REMOVED: "producers, consumers, operators | Consumers of this event type receive nothing "
    "any more, and stored events lose their type. Keep the event, mark it deprecated, and stop publishing "
    "it once no group reads it.",
    Kind.EVENT_TOPIC_CHANGED: "producers, consumers, operators | Consumers of the old topic no longer get "
    "the event, a user's events are no longer in order, and access rules no longer hold. Add a new event "
    "type on the new topic and publish both for a while.",
    Kind.EVENT_PARTITION_KEY_CHANGED: "producers, consumers, operators | Events of one user land on "
    "another partition than before, so their order is lost. Add a new event type with the new key.",
    Kind.FIELD_BECAME_REQUIRED: "producers, consumers | Producers that leave the field empty can no longer "
    "publish, and stored events lack it. Keep it optional in this event type.",
    Kind.FIELD_NO_LONGER_REQUIRED: "consumers | Consumers rely on the field being set and meet events "
    "without it. Keep it required; an event without it is a new event type.",
    Kind.FIELD_LIMIT_TIGHTENED: "producers | Producers can no longer publish values that were allowed "
    "until now. Keep the limit.",
    Kind.FIELD_LIMIT_LOOSENED: "consumers | No reader enforces limits, but notify consumers that sized a "
    "column by the old one.",
    Kind.FIELD_FORMAT_CHANGED: "producers, consumers | Producers can no longer publish old values, or "
    f"consumers can no longer parse new ones. {_NEW_FIELD}",
    Kind.FIELD_PERSONAL_DATA_CHANGED: "consumers, operators | Redaction and access follow the class: a "
    "lower one shows data to people who may not see it, a higher one hides it from people who need it. "
    "Agree with the operators first, or add a new field.",
}

# Forward kinds are named from new to old, so what happened is the reverse of what the name says.
_FORWARD = {
    Kind.MESSAGE_REMOVED: "consumers | The new version adds this message, and consumers on the old one "
    "cannot read it. Upgrade the consumers first, or set the level to a BACKWARD one.",
    Kind.REQUIRED_FIELD_ADDED: "producers, consumers | The new version drops this required field, and "
    "consumers on the old one refuse every event without it. Keep the field.",
    Kind.REQUIRED_FIELD_REMOVED: "producers, consumers | The new version adds this required field, which "
    "stored events lack. Add it as optional.",
    Kind.ONEOF_FIELD_REMOVED: "consumers | The new version adds this field, and consumers on the old one "
    "find the oneof unset. Upgrade the consumers first, or set the level to a BACKWARD one.",
    Kind.MULTIPLE_FIELDS_MOVED_TO_ONEOF: "consumers | The new version lets these fields be set together, "
    "and consumers on the old one keep only the last of them. Keep them in the oneof.",
    Kind.FIELD_MOVED_TO_EXISTING_ONEOF: "consumers | The new version lets this field be set beside others, "
    "and consumers on the old one keep only the last of them. Keep it in the oneof.",
}
