"""What the kinds of change that the registries know mean for people."""

from __future__ import annotations

from immersiverse.auth.events.compatibility.audiences import NEW_FIELD, Audience, Explanation
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

_PRODUCERS, _CONSUMERS, _JSON, _CODE, _OPERATORS = Audience

CONFLUENT = {
    Kind.PACKAGE_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS, _CODE),
        "Every full name changes, so consumers find none of the types they know. "
        "Keep the package; a new package is a new file with its own topics, published beside the old one.",
    ),
    Kind.MESSAGE_ADDED: Explanation((), "Nobody breaks: no data of this type exists yet."),
    Kind.MESSAGE_REMOVED: Explanation(
        (_CONSUMERS, _CODE),
        "Consumers can no longer read the stored events that hold this message. "
        "Keep it, mark it deprecated, and stop publishing it.",
    ),
    Kind.MESSAGE_MOVED: Explanation(
        (),
        "Nobody breaks: frames name a message by its place in their writer's schema, not in the reader's.",
    ),
    Kind.ENUM_ADDED: Explanation((), "Nobody breaks: no data of this type exists yet."),
    Kind.ENUM_REMOVED: Explanation(
        (_JSON, _CODE),
        "Protobuf still carries the numbers, but JSON names no longer parse, and generated code loses it. "
        "Keep the enum and mark it deprecated.",
    ),
    Kind.ENUM_CONST_ADDED: Explanation(
        (_CONSUMERS,),
        "Nobody breaks: a consumer that does not know the value treats it as the unspecified one.",
    ),
    Kind.ENUM_CONST_CHANGED: Explanation(
        (_JSON, _CODE),
        "Protobuf still carries the number, but JSON with the old name no longer parses. "
        "Keep the name; add a new value if the meaning is new.",
    ),
    Kind.ENUM_CONST_REMOVED: Explanation(
        (_CONSUMERS, _JSON, _CODE),
        "Consumers no longer know the value in stored events, and JSON that names it no longer parses. "
        "Keep the value and mark it deprecated.",
    ),
    Kind.FIELD_ADDED: Explanation((), "Nobody breaks: readers ignore or keep a field that they do not know."),
    Kind.FIELD_REMOVED: Explanation(
        (_CONSUMERS, _CODE),
        "Nobody fails to decode, but consumers no longer see the value. "
        "Reserve its number and name, so that neither comes back with another meaning.",
    ),
    Kind.FIELD_NAME_CHANGED: Explanation(
        (_JSON, _CODE),
        "Protobuf does not carry names, but JSON and generated code do. "
        "Keep the name; a new name is a new field with a new number.",
    ),
    Kind.FIELD_KIND_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS, _JSON, _CODE),
        f"A scalar, a message and a map read each other's bytes as garbage. {NEW_FIELD}",
    ),
    Kind.FIELD_SCALAR_KIND_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS, _JSON, _CODE),
        f"The two types differ in bytes, so each reads the other's values wrong or not at all. {NEW_FIELD}",
    ),
    Kind.FIELD_NAMED_TYPE_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS, _JSON, _CODE),
        f"The field's message is another one, or changed in a way that cannot be read. {NEW_FIELD}",
    ),
    Kind.FIELD_NUMERIC_LABEL_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS, _JSON, _CODE),
        f"One reader takes many numbers where the other takes one: values are lost or refused. {NEW_FIELD}",
    ),
    Kind.FIELD_STRING_OR_BYTES_LABEL_CHANGED: Explanation(
        (_CONSUMERS, _JSON, _CODE),
        f"Protobuf readers of a single value take the last of many; JSON readers fail on a list. {NEW_FIELD}",
    ),
    Kind.REQUIRED_FIELD_ADDED: Explanation(
        (_PRODUCERS, _CONSUMERS),
        "Consumers refuse every stored event, since it lacks the field. Add it as optional.",
    ),
    Kind.REQUIRED_FIELD_REMOVED: Explanation(
        (_PRODUCERS, _CONSUMERS),
        "Consumers on the old version refuse every new event, since it lacks the field. Keep the field.",
    ),
    Kind.ONEOF_ADDED: Explanation(
        (), "Nobody breaks, as long as the fields in it could not be set together before."
    ),
    Kind.ONEOF_REMOVED: Explanation(
        (_CODE,),
        "Protobuf does not carry the oneof, but generated code loses it, and its fields may be set together. "
        "Keep the oneof.",
    ),
    Kind.ONEOF_FIELD_ADDED: Explanation(
        (_CONSUMERS,),
        "Nobody breaks: a consumer that does not know the field sees the oneof unset and keeps the bytes.",
    ),
    Kind.ONEOF_FIELD_REMOVED: Explanation(
        (_CONSUMERS, _CODE),
        "Consumers find the oneof unset in stored events that set this field. "
        "Keep the field, mark it deprecated, and stop setting it.",
    ),
    Kind.ONEOF_FIELD_MOVED_TO_TOP_LEVEL: Explanation(
        (_CODE,),
        "Protobuf reads the same bytes, but generated code loses the case, and the field may now be set "
        "together with the others. Keep it in the oneof.",
    ),
    Kind.MULTIPLE_FIELDS_MOVED_TO_ONEOF: Explanation(
        (_CONSUMERS, _CODE),
        "Stored events may set several of these fields, and consumers keep only the last of them. "
        "Leave them where they are; put new fields into a new oneof.",
    ),
    Kind.FIELD_MOVED_TO_EXISTING_ONEOF: Explanation(
        (_CONSUMERS, _CODE),
        "Stored events may set this field beside another of the oneof, and consumers keep only the last. "
        "Leave it where it is; add a new field to the oneof.",
    ),
}

AVRO = {
    Kind.NAME_MISMATCH: Explanation(
        (_PRODUCERS, _CONSUMERS),
        "Readers find another type where they expect theirs. Keep the name, or add the old one as an alias.",
    ),
    Kind.FIXED_SIZE_MISMATCH: Explanation(
        (_PRODUCERS, _CONSUMERS),
        "Readers take the wrong number of bytes and lose their place. Add a new field of the new size.",
    ),
    Kind.MISSING_ENUM_SYMBOLS: Explanation(
        (_CONSUMERS,),
        "Readers fail on a symbol that they do not know. Keep every symbol, and give the enum a default.",
    ),
    Kind.READER_FIELD_MISSING_DEFAULT_VALUE: Explanation(
        (_CONSUMERS,),
        "Readers have nothing to put into a field that the writer does not write. Give the field a default.",
    ),
    Kind.TYPE_MISMATCH: Explanation(
        (_PRODUCERS, _CONSUMERS),
        "Readers cannot turn the written type into theirs. Add a new field with a default instead.",
    ),
    Kind.MISSING_UNION_BRANCH: Explanation(
        (_CONSUMERS,),
        "Readers fail on a branch that they do not have. Keep every branch that was ever written.",
    ),
}

# Seen from the other side the kinds keep their names, so what happened is the reverse of what they say.
FORWARD: dict[Kind, Explanation] = {
    Kind.MESSAGE_REMOVED: Explanation(
        (_CONSUMERS,),
        "The new version adds this message, and consumers on the old one cannot read it. "
        "Upgrade the consumers first, or set the level to a BACKWARD one.",
    ),
    Kind.REQUIRED_FIELD_ADDED: Explanation(
        (_PRODUCERS, _CONSUMERS),
        "The new version drops this required field, and consumers on the old one refuse every event without "
        "it. Keep the field.",
    ),
    Kind.REQUIRED_FIELD_REMOVED: Explanation(
        (_PRODUCERS, _CONSUMERS),
        "The new version adds this required field, which stored events lack. Add it as optional.",
    ),
    Kind.ONEOF_FIELD_REMOVED: Explanation(
        (_CONSUMERS,),
        "The new version adds this field, and consumers on the old one find the oneof unset. "
        "Upgrade the consumers first, or set the level to a BACKWARD one.",
    ),
    Kind.MULTIPLE_FIELDS_MOVED_TO_ONEOF: Explanation(
        (_CONSUMERS,),
        "The new version lets these fields be set together, and consumers on the old one keep only the last "
        "of them. Keep them in the oneof.",
    ),
    Kind.FIELD_MOVED_TO_EXISTING_ONEOF: Explanation(
        (_CONSUMERS,),
        "The new version lets this field be set beside others, and consumers on the old one keep only the "
        "last of them. Keep it in the oneof.",
    ),
}
