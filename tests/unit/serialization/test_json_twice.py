"""A field that is given twice is refused wherever it stands, since two readers could see two values."""

from __future__ import annotations

import json

import pytest

from immersiverse.auth.events.errors import MalformedPayload
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.json.codec import read_json, write_json
from serialization_samples import CREATED

HEAD = '"eventType":"LoggedOut","timestamp":"2025-06-01T10:15:30Z"'
ACTOR = '"actor":{"kind":"ACTOR_KIND_USER","id":"a"}'


@pytest.mark.parametrize(
    "text",
    [
        f'{{{HEAD},"payload":{{"userId":"alice","userId":"mallory"}}}}',
        f'{{{HEAD},"payload":{{"userId" : "alice","userId":"mallory"}}}}',
        f'{{{HEAD},"payload":{{"userId":"alice","us\\u0065rId":"mallory"}}}}',
        f'{{{HEAD}, "payload": {{"userId": "alice", "userId": "alice"}}}}',
        f'{{{HEAD},"payload":{{"userId":"alice","user_id":"mallory"}}}}',
        f'{{{HEAD},"payload":{{"user_id":"alice","userId":"mallory"}}}}',
        f'{{{HEAD},"payload":{{"userId":"alice","user_id":null}}}}',
        f'{{{HEAD},"payload":{{"userId":"alice","a\\\\":1,"userId":"mallory"}}}}',
        f'{{{HEAD},"payload":{{"userId":"alice"}},"payload":{{"userId":"mallory"}}}}',
        f'{{{HEAD},"eventType":"UserDeleted","payload":{{"userId":"alice"}}}}',
        f'{{{HEAD},"eventId":"a","event_id":"b","payload":{{"userId":"alice"}}}}',
        f'{{{HEAD},"actor":{{"id":"a","id":"b"}},"payload":{{"userId":"alice"}}}}',
        f'{{{HEAD},{ACTOR},{ACTOR},"payload":{{"userId":"alice"}}}}',
        f'{{{HEAD},"payload":{{"userId":"alice","unknown":{{"a":1,"a":2}}}}}}',
        f'{{{HEAD},"payload":{{"userId":"alice","unknown":[{{"a":1,"a":2}}]}}}}',
        '{"eventType":"Later","timestamp":"2025-06-01T10:15:30Z","payload":{"a":1,"a":2}}',
        '{"specversion":"1.0","type":"LoggedOut","type":"UserDeleted","data":{"userId":"alice"}}',
        '{"specversion":"1.0","type":"LoggedOut","data_base64":"eyJ1IjoxLCJ1IjoyfQ=="}',
    ],
)
def test_a_field_that_is_given_twice_is_malformed(text: str) -> None:
    with pytest.raises(MalformedPayload, match="given twice"):
        AuthEventDeserializer()(text.encode())


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " :\t")])
def test_the_same_name_at_different_places_is_not(
    indent: int | None, ascii_only: bool, separators: tuple[str, str]
) -> None:
    document = json.loads(write_json(CREATED))
    document["payload"] |= {"username": 'a":b\\":"', "extra": [{"userId": "\u00e9"}, {"userId": 1.0}]}
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only, separators=separators)
    event = read_json(text.encode())
    assert event.user_created.user_id == "u-42"
    assert event.user_created.username == 'a":b\\":"'
