"""Whatever a message says, no command lets it speak to the terminal, and JSON says it exactly."""

from __future__ import annotations

import base64
import json
import unicodedata
import uuid

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from unit.admin.samples import dead_letter_headers

# A title, a cleared screen, a C1 introducer, DEL, a carriage return, and text from right to left.
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\r\u202egnp.exe\u2066\u200f"
HARMLESS = "Zoë 👩‍🚀 日本"  # of which a joiner is a format character, too
WORDS = EVIL + HARMLESS


def event(event_type):
    user = {
        "userId": WORDS,
        "username": WORDS,
        "email": WORDS,
        "createdAt": "2025-07-01T09:00:00Z",
        EVIL: EVIL,
    }
    document = {
        "eventType": event_type,
        "timestamp": "2025-07-01T09:00:00Z",
        "eventId": WORDS,
        "payload": user,
    }
    return json.dumps(document, ensure_ascii=False).encode()


VALUES = [event("UserCreated"), event("Unheard"), event(WORDS), EVIL.encode(), b"{" + EVIL.encode()]


@pytest.fixture
def hostile(kafka, topic, dead_letters):
    """A topic, and a dead letter topic, of which every message says it everywhere."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    own = [("ce_subject", WORDS), (EVIL, WORDS)]
    for value in VALUES:
        producer.produce(topic, value, WORDS, partition=0, headers=own)
        said = {
            name: content.decode(errors="replace")
            for name, content in dead_letter_headers(topic)
            if "original-" not in name
        }
        said = {name: f"{content}\n{WORDS}" for name, content in said.items()}
        origin = [header for header in dead_letter_headers(topic) if "original-" in header[0]]
        producer.produce(dead_letters, value, WORDS, partition=0, headers=[*own, *origin, *said.items()])
    producer.produce(
        dead_letters,
        b"x",
        WORDS,
        partition=0,
        headers=[*own, *dead_letter_headers(WORDS), ("auth-events-stub", "9")],
    )
    assert producer.flush(20) == 0


def assert_harmless(result):
    for text in (result.out, result.err):
        controls = [character for character in text if unicodedata.category(character) in {"Cc", "Zl", "Zp"}]
        assert set(controls) <= {"\n"}
        assert not {"\u202e", "\u2066", "\u200f"} & set(text)


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("columns", ["60", "200"])
def test_lists_and_plans_of_dead_letters_are_harmless(auth_events, monkeypatch, dead_letters, columns):
    monkeypatch.setenv("COLUMNS", columns)
    listed = auth_events("dlq", "list", "--dlq-topic", dead_letters)
    assert_harmless(listed)
    assert "6 dead letters" in listed.err
    assert "👩‍🚀" in listed.out
    planned = auth_events("dlq", "redrive", "--dry-run", "--dlq-topic", dead_letters)
    assert_harmless(planned)
    assert "the original is" in planned.err
    for row in auth_events("dlq", "list", "--dlq-topic", dead_letters, "--json").document:
        assert row["user"] == WORDS
        assert row["reason"].endswith(WORDS) != row["stub"]


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("offset", range(6))
def test_a_dead_letter_is_shown_harmless_and_its_json_is_exact(auth_events, dead_letters, offset):
    asked = ("dlq", "show", f"0-{offset}", "--dlq-topic", dead_letters)
    shown = auth_events(*asked)
    assert shown.code == 0
    assert_harmless(shown)
    whole = auth_events(*asked, "--json")
    assert_harmless(whole)
    assert whole.document["key"] == WORDS
    assert whole.document["headers"] == [["ce_subject", WORDS], [EVIL, WORDS]]
    if offset == 0:
        assert whole.document["event"]["payload"]["username"] == WORDS


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("more", [(), ("--headers",)])
def test_events_are_shown_harmless_and_exact(auth_events, topic, more):
    shown = auth_events("tail", "--no-follow", "--topic", topic, *more)
    assert shown.code == 1
    assert_harmless(shown)
    events = [event for line in shown.lines if (event := line.get("event", line))]
    assert [event["eventType"] for event in events] == ["UserCreated", "Unheard", WORDS]
    assert events[0]["payload"]["username"] == WORDS
    assert len(shown.err.splitlines()) == 3  # two that cannot be read, and their count


def test_values_are_decoded_harmless_and_exact(auth_events):
    values = [base64.b64encode(value).decode() for value in VALUES]
    decoded = auth_events("decode", stdin="\n".join(values))
    assert_harmless(decoded)
    assert decoded.lines[0]["payload"]["username"] == WORDS
    refused = auth_events(
        "publish", "--format", "json", stdin=f'{{"{EVIL}"}}\n"{EVIL}"\n{{"eventType":"{WORDS}"}}'
    )
    assert_harmless(refused)
    assert "line 1" in refused.err


def test_the_name_of_a_group_is_shown_harmless_wherever_it_is_named(kafka, auth_events, topic):
    group = f"{EVIL}[red]{uuid.uuid4()}"
    member = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    member.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
    member.close()
    lag = auth_events("lag", "--group", group, "--topic", topic)
    assert_harmless(lag)
    assert "[red]" in "".join(lag.out.split())
    for command in ("lag --group", "replay --to-end --yes --topic no-such-topic --group"):
        assert_harmless(auth_events(*command.split(), f"{group}?"))
