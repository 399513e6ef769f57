"""What the kinds of change that only the strict rules know mean for people."""

from __future__ import annotations

from immersiverse.auth.events.compatibility.audiences import NEW_FIELD, Audience, Explanation
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

_PRODUCERS, _CONSUMERS, _JSON, _CODE, _OPERATORS = Audience

STRICT = {
    Kind.SYNTAX_CHANGED: Explanation(
        (_CONSUMERS, _CODE),
        "Presence of fields and unknown enum values mean something else from now on. Keep the syntax.",
    ),
    Kind.FILE_OPTION_CHANGED: Explanation(
        (_CODE,),
        "Generated code moves to another package or class, so users no longer compile. Keep the option.",
    ),
    Kind.FIRST_MESSAGE_CHANGED: Explanation(
        (_CONSUMERS,),
        "Frames name the envelope by being the file's first message, and readers check that before they look "
        "anything up. Keep it first and add new messages below.",
    ),
    Kind.FIELD_TYPE_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS, _JSON, _CODE),
        "Even where the bytes agree, JSON writes the two types differently, values may be cut, and generated "
        f"code no longer compiles. {NEW_FIELD}",
    ),
    Kind.FIELD_CARDINALITY_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS, _JSON, _CODE),
        f"JSON readers meet a list instead of a value or the reverse; others lose values. {NEW_FIELD}",
    ),
    Kind.FIELD_PRESENCE_CHANGED: Explanation(
        (_CONSUMERS, _CODE),
        "Readers can no longer tell absence as they did: old events say nothing where new ones say zero, or "
        f"the reverse. {NEW_FIELD}",
    ),
    Kind.FIELD_JSON_NAME_CHANGED: Explanation(
        (_JSON,),
        "JSON readers no longer find the field under its name, and JSON with the old name no longer parses. "
        "Keep the JSON name.",
    ),
    Kind.FIELD_DEFAULT_CHANGED: Explanation(
        (_CONSUMERS,),
        f"Stored events that leave the field out mean something else from now on. {NEW_FIELD}",
    ),
    Kind.FIELD_ONEOF_CHANGED: Explanation(
        (_CONSUMERS, _CODE),
        "Generated code finds the field in another place, and other fields now exclude it or no longer do. "
        "Leave it where it is; add a new field instead.",
    ),
    Kind.ENUM_WITHOUT_ZERO: Explanation(
        (_CONSUMERS,),
        "Readers have no value for what is absent or unknown. Begin the enum with an _UNSPECIFIED = 0.",
    ),
    Kind.NUMBER_NOT_RESERVED: Explanation(
        (_CONSUMERS,),
        "Someone may give the number a new meaning, and stored events would be read by it. "
        "Add the number to the reserved ones.",
    ),
    Kind.NAME_NOT_RESERVED: Explanation(
        (_JSON,),
        "Someone may give the name a new meaning, and stored JSON would be read by it. "
        "Add the name to the reserved ones.",
    ),
    Kind.RESERVED_NUMBER_DROPPED: Explanation(
        (_CONSUMERS,),
        "A number that was set aside becomes free for a new meaning. Keep it reserved for ever.",
    ),
    Kind.RESERVED_NAME_DROPPED: Explanation(
        (_JSON,),
        "A name that was set aside becomes free for a new meaning. Keep it reserved for ever.",
    ),
    Kind.RESERVED_NUMBER_REUSED: Explanation(
        (_CONSUMERS,),
        "The number was set aside: stored events may hold it with another meaning. Take a number never used.",
    ),
    Kind.RESERVED_NAME_REUSED: Explanation(
        (_JSON,),
        "The name was set aside: stored JSON may hold it with another meaning. Take a name never used.",
    ),
    Kind.CONTRACT_OPTION_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS, _OPERATORS),
        "Events appear where nobody subscribes and no access rule holds, or under another source. "
        "Set up the new name, move the consumers to it, then change the option.",
    ),
    Kind.EVENT_ADDED: Explanation(
        (_OPERATORS,), "Nobody breaks: consumers skip an event type that they do not know."
    ),
    Kind.EVENT_REMOVED: Explanation(
        (_PRODUCERS, _CONSUMERS, _OPERATORS),
        "Consumers of this event type hear nothing any more, and stored events lose their type. "
        "Keep the event, mark it deprecated, and stop publishing it once nobody listens.",
    ),
    Kind.EVENT_TOPIC_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS, _OPERATORS),
        "Consumers of the old topic no longer get the event, a user's events are no longer in order, and "
        "access rules no longer hold. Add a new event type on the new topic and publish both for a while.",
    ),
    Kind.EVENT_PARTITION_KEY_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS, _OPERATORS),
        "Events of one user land on another partition than before, so their order is lost. "
        "Add a new event type with the new key.",
    ),
    Kind.FIELD_BECAME_REQUIRED: Explanation(
        (_PRODUCERS, _CONSUMERS),
        "Producers that leave the field empty can no longer publish, and stored events lack it. "
        "Keep it optional in this event type.",
    ),
    Kind.FIELD_NO_LONGER_REQUIRED: Explanation(
        (_CONSUMERS,),
        "Consumers rely on the field being set and meet events without it. "
        "Keep it required; an event without it is a new event type.",
    ),
    Kind.FIELD_LIMIT_TIGHTENED: Explanation(
        (_PRODUCERS,),
        "Producers can no longer publish values that were allowed until now. Keep the limit.",
    ),
    Kind.FIELD_LIMIT_LOOSENED: Explanation(
        (_CONSUMERS,),
        "No reader enforces limits, but consumers that sized a column by the old one should be told.",
    ),
    Kind.FIELD_FORMAT_CHANGED: Explanation(
        (_PRODUCERS, _CONSUMERS),
        f"Producers can no longer publish old values, or consumers can no longer parse new ones. {NEW_FIELD}",
    ),
    Kind.FIELD_PERSONAL_DATA_CHANGED: Explanation(
        (_CONSUMERS, _OPERATORS),
        "Redaction and access follow the class: a lower one shows data to those who may not see it, a higher "
        "one hides it from those who need it. Agree with the operators first, or add a new field.",
    ),
}
