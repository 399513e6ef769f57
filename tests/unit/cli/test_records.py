"""What tail shows of messages, whatever they hold."""

from __future__ import annotations

import base64
import json

import pytest

from immersiverse.auth.events.admin.tail import EventFilter
from immersiverse.auth.events.cli.options.events import PersonalDataClass
from immersiverse.auth.events.cli.views.records import RecordLines
from immersiverse.auth.events.privacy import CLASSES, Redaction
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.simulation import simulate
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from unit.admin.samples import message

FRAME = bytes(6)
GOOD = FRAME + next(simulate(1, 1)).SerializeToString()


def changed(change):
    event = next(simulate(1, 1))
    change(event)
    return FRAME + event.SerializeToString()


def milliseconds_for_seconds(event):
    event.timestamp.seconds *= 1000


def unknown_with_such_a_time(event):
    event.ClearField("user_created")
    event.timestamp.seconds *= 1000


def path_that_json_cannot_write(event):
    event.user_updated.user_id = "u"
    event.user_updated.changed_fields.paths.append("emailVerified")


NOT_JSON = {
    change.__name__: changed(change) for change in (milliseconds_for_seconds, path_that_json_cannot_write)
}
NOT_JSON["unknown_with_such_a_time"] = (
    changed(unknown_with_such_a_time) + bytes((0xC2, 0x3E, 2, 0x0A, 0))  # field 1000: an event of tomorrow
)  # fmt: skip
UNREADABLE = {"no_event": b"alice", "half_a_frame": GOOD[:-1], **NOT_JSON}


def shown(values, *, redact="", headers=False, wanted=EventFilter()):  # noqa: B008 - it is frozen
    redaction = Redaction(CLASSES[redact]) if redact else None
    lines = RecordLines(AuthEventDeserializer(), wanted, redaction, with_headers=headers)
    records = [message(value=value, offset=number) for number, value in enumerate(values)]
    return [json.loads(line) for line in lines.of(iter(records))], lines.unreadable


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE)
def test_a_message_that_cannot_be_shown_is_named_and_takes_no_other_with_it(value, capsys):
    found, unreadable = shown([GOOD, value, GOOD])
    assert (len(found), unreadable) == (2, 1)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("dlq-0-1: ")


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE)
def test_with_headers_its_place_key_headers_and_bytes_are_shown(value):
    found, _ = shown([value], headers=True)
    assert [(each["topic"], each["offset"], each["key"], each["event"]) for each in found] == [
        ("dlq", 0, "user-1", None)
    ]
    assert base64.b64decode(found[0]["valueBase64"]) == value
    assert found[0]["unreadable"]


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE)
def test_redaction_withholds_the_bytes_and_words_of_what_cannot_be_shown(value, capsys):
    ((found,), _) = shown([value], headers=True, redact="pseudonym")
    assert (found["valueBase64"], found["key"]) == ("[withheld]", "[withheld]")
    assert ":" not in found["unreadable"]
    assert "alice" not in capsys.readouterr().err


def test_what_cannot_be_shown_has_no_type_and_the_user_of_its_key():
    assert shown([b"alice"], headers=True, wanted=EventFilter(frozenset({"UserCreated"})))[0] == []
    assert len(shown([b"alice"], headers=True, wanted=EventFilter(user="user-1"))[0]) == 1
    assert shown([b"alice"], headers=True, wanted=EventFilter(user="user-2")) == ([], 1)


def test_the_classes_to_redact_are_those_of_the_contract():
    assert list(PersonalDataClass) == list(CLASSES)


def test_these_values_are_what_their_names_say():
    assert isinstance(AuthEventDeserializer().deserialize(NOT_JSON["milliseconds_for_seconds"]), AuthEvent)
