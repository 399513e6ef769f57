"""Names in JSON events that people write."""

from __future__ import annotations

import base64
import json

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import DecodeError, InvalidEvent
from immersiverse.auth.events.samples import sample
from immersiverse.auth.events.serialization.json.codec import read_json
from immersiverse.auth.events.serialization.json.strict import require_known_names

AT = "2025-07-01T09:00:00Z"
DELETED = {"userId": "u", "deletedAt": AT, "reason": "USER_DELETION_REASON_USER_REQUEST"}
SUSPICIOUS = {"userId": "u", "detectedAt": AT, "signals": ["SUSPICIOUS_SIGNAL_NEW_DEVICE"]}


def line(payload, event_type="UserDeleted", **envelope):
    return json.dumps({"eventType": event_type, "timestamp": AT, "payload": payload, **envelope}).encode()


def cloudevent(payload, **more):
    cloud = {"specversion": "1.0", "id": "1", "source": "/x", "type": "UserDeleted", "time": AT}
    return json.dumps({**cloud, "data": payload, **more}).encode()


def in_base64(payload):
    cloud = json.loads(cloudevent(None))
    del cloud["data"]
    data = base64.b64encode(json.dumps(payload).encode()).decode()
    return json.dumps({**cloud, "data_base64": data}).encode()


@pytest.mark.parametrize(
    ("written", "path", "hint"),
    [
        (line({**DELETED, "resaon": "x"}), "payload.resaon", "; did you mean reason?"),
        (line({**DELETED, "deleted_att": AT}), "payload.deleted_att", "; did you mean deletedAt?"),
        (line({**DELETED, "xyzzy": 1}), "payload.xyzzy", "is no field of the contract"),
        (line({**DELETED, "reason": "USER_REQUEST"}), "payload.reason", f"did you mean {DELETED['reason']}?"),
        (line({**DELETED, "reason": "user_request"}), "payload.reason", f"did you mean {DELETED['reason']}?"),
        (line({**DELETED, "reason": 77}), "payload.reason", "77 is no value of UserDeletionReason"),
        (
            line({**SUSPICIOUS, "signals": [*SUSPICIOUS["signals"], "NEW_DEVICE"]}, "SuspiciousLogin"),
            "payload.signals[1]",
            "did you mean SUSPICIOUS_SIGNAL_NEW_DEVICE?",
        ),
        (line(DELETED, sorce="/x"), "sorce", "did you mean source?"),
        (line(DELETED, timestmp=AT), "timestmp", "did you mean timestamp?"),
        (line(DELETED, actor={"idd": "x"}), "actor.idd", "did you mean id?"),
        (line(DELETED, actor={"id": "x", "kind": "ADMIN"}), "actor.kind", "is no value of "),
        (line(DELETED, "UserDeletd"), "", "did you mean UserDeleted?"),
        (cloudevent({**DELETED, "resaon": "x"}), "payload.resaon", "did you mean reason?"),
        (in_base64({**DELETED, "resaon": "x"}), "payload.resaon", "did you mean reason?"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_refused_with_its_path_and_the_closest_one(written, path, hint):
    with pytest.raises(InvalidEvent) as caught:
        require_known_names(written)
    assert caught.value.field == path
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        *(sample(name) for name in catalog.EVENT_TYPES),
        line(DELETED),
        b"\xef\xbb\xbf" + line(DELETED),
        line({"user_id": "u", "deleted_at": AT, "reason": 1}),
        line(DELETED, "immersiverse.auth.events.v1.UserDeleted", eventId="x", version=3, source="/s"),
        cloudevent(DELETED, traceparent="00-1-2-3", anyextension="x"),
    ],
)
def test_the_contracts_own_names_are_taken_in_every_form(written):
    require_known_names(written)


@pytest.mark.parametrize("written", [line([]), line("x"), line(None), line({}, None), b"{}"])
def test_what_is_wrong_beside_names_is_left_to_the_reader(written):
    require_known_names(written)
    with pytest.raises(DecodeError):
        read_json(written)


@pytest.mark.parametrize(
    "written", [b"rubbish", b"[1]", b"[" * 100_000, line(DELETED)[:-1] + b',"payload":{}}']
)
def test_what_is_no_object_is_a_decode_error(written):
    with pytest.raises(DecodeError):
        require_known_names(written)


def test_a_reader_takes_what_a_newer_contract_may_have_added():
    event = read_json(line({**DELETED, "reason": "USER_DELETION_REASON_OF_TOMORROW", "newer": 1}, newer={}))
    assert event.user_deleted.user_id == "u"
