"""auth-events publish and tail on a real Kafka."""

from __future__ import annotations

import json
import re
import signal
import uuid

import pytest

from component.cli.terminal import end, read_until, running
from foreign_messages import send
from immersiverse.auth.events import catalog
from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.simulation import simulate
from integration.admin.cluster_tools import made, publish

MINIMAL = (
    '{"eventType":"UserCreated","timestamp":"2025-07-01T09:00:00Z","payload":{"userId":"%s",'
    '"username":"alice","email":"alice@example.com","createdAt":"2025-07-01T09:00:00Z"}}'
)
TOPICS = (*catalog.TOPICS, catalog.SINGLE_TOPIC)


@pytest.fixture(scope="module")
def contract_topics(kafka):
    """The contract's own topics, which other tests may have made and written to."""
    made(kafka.bootstrap, TOPICS)


@pytest.fixture
def user():
    """A user whom no other test knows."""
    return f"user-{uuid.uuid4()}"


@pytest.fixture
def stream(user):
    """Two hundred simulated events, of one user."""

    def rename(event):
        document = json.loads(write_json(event))
        document["payload"]["userId"] = user
        return json.dumps(document)

    names = ("LoginSucceeded", "LoginFailed", "UserCreated")
    events = (
        e for e in simulate(5, 2_000) if catalog.BY_PAYLOAD_FIELD[e.WhichOneof("payload")].name in names
    )
    lines = [rename(event) for event, _ in zip(events, range(200), strict=False)]
    return [line for line in lines if "attemptedIdentifierHash" not in line]


@pytest.mark.usefixtures("contract_topics")
@pytest.mark.parametrize("name", ["protobuf", "json"])
def test_what_is_published_in_any_format_is_shown_as_it_was(auth_events, stream, user, name, tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(stream))
    ids = () if name == "json" else ("--schema-id", "1")
    done = auth_events("publish", file, "--format", name, *ids, "--json")
    assert (done.code, done.document["published"]) == (0, len(stream))
    shown = auth_events("tail", "--no-follow", "--user", user)
    assert sorted(map(_canonical, shown.out.splitlines())) == sorted(map(_canonical, stream))


@pytest.mark.usefixtures("contract_topics")
def test_single_topic_mode_keeps_one_order(auth_events, stream, user):
    auth_events("publish", "--schema-id", "1", "--single-topic", stdin="\n".join(stream))
    shown = auth_events("tail", "--no-follow", "--topic", "auth.events", "--user", user)
    assert [_canonical(line) for line in shown.out.splitlines()] == [_canonical(line) for line in stream]


@pytest.mark.usefixtures("contract_topics")
def test_bad_lines_are_named_and_the_others_are_published(auth_events, user):
    lines = [MINIMAL % user, "rubbish", "", MINIMAL % user + "}", MINIMAL.replace("alice", "") % user]
    result = auth_events("publish", "--format", "json", stdin="\n".join(lines))
    assert result.code == 1
    *errors, summary = result.err.splitlines()
    assert [error.partition(":")[0] for error in errors] == ["line 2", "line 4", "line 5"]
    assert summary.startswith("published 1 events in ")
    assert summary.endswith("auth.events.user 1; 3 lines were not published")


@pytest.mark.usefixtures("contract_topics")
def test_a_line_published_again_has_the_same_id(auth_events, user):
    for _ in range(2):
        auth_events("publish", "--schema-id", "1", stdin=MINIMAL % user)
    first, again = auth_events("tail", "--no-follow", "--user", user).lines
    assert first["eventId"] == again["eventId"]
    assert "version" not in first


@pytest.mark.usefixtures("contract_topics")
def test_versions_are_given_where_asked_and_missing(auth_events, user):
    numbered = MINIMAL[:-1] + ',"version":7}'
    lines = [MINIMAL % user, numbered % user, MINIMAL % user, MINIMAL % f"{user}-2"]
    auth_events("publish", "--schema-id", "1", "--assign-versions", stdin="\n".join(lines))
    shown = auth_events("tail", "--no-follow", "--user", user).lines
    assert [event["version"] for event in shown] == [1, 7, 8]


@pytest.mark.usefixtures("contract_topics")
def test_an_undeliverable_line_is_named(auth_events, user):
    small = MINIMAL.replace("alice@", "a" * 200 + "@") % user
    config = ("-c", "message.max.bytes=1000")
    long = MINIMAL[:-1] % user + f',"source":"/{"s" * 900}"}}'
    result = auth_events("publish", "--format", "json", *config, stdin=f"{small}\n{long}")
    assert result.code == 1
    assert result.err.startswith("line 2: ")
    assert "MSG_SIZE_TOO_LARGE" in result.err


def test_a_missing_topic_is_one_line_at_once_and_a_count(auth_events, kafka, monkeypatch):
    monkeypatch.setattr(catalog, "SINGLE_TOPIC", missing := f"missing-{uuid.uuid4()}")
    stdin = "\n".join(MINIMAL % f"user-{number}" for number in range(300))
    result = auth_events("publish", "--schema-id", "1", "--single-topic", stdin=stdin)
    line, summary = result.err.splitlines()
    command = f"auth-events topics apply -b {kafka.bootstrap} --single-topic"
    reason = f"topic {missing} does not exist; create the contract's topics with {command}"
    assert (result.code, line) == (1, f"line 1: {reason}")
    assert summary.endswith(f"; 300 lines were not published, of them 300 to {missing}")
    assert float(re.search(r"in ([0-9.]+) s", summary).group(1)) < 10


def test_tail_filters_counts_and_starts_where_asked(auth_events, kafka, topic):
    values = [(MINIMAL % f"user-{number}").encode() for number in range(6)]
    publish(kafka.bootstrap, topic, values[:3], partition=0, at=1_000_000, key=b"k")
    publish(kafka.bootstrap, topic, values[3:], partition=0, at=2_000_000, key=b"k")
    asked = ("tail", "--no-follow", "--topic", topic)

    def users(*arguments):
        return [event["payload"]["userId"][-1] for event in auth_events(*asked, *arguments).lines]

    assert users() == list("012345")
    assert users("--from", "end") == []
    assert users("--from", "1970-01-01T00:20:00Z") == list("345")
    assert users("--count", "2") == list("01")
    assert users("--user", "user-4") == ["4"]
    assert users("--user", "k") == list("012345")
    assert users("--type", "usercreated", "--type", "LoginFailed", "--from", "beginning") == list("012345")
    assert users("--type", "LoginFailed") == []


def test_tail_follows_until_it_has_enough(kafka, topic):
    with running(
        "tail", "-b", kafka.bootstrap, "--topic", topic, "--from", "beginning", "-n", "2"
    ) as process:
        publish(kafka.bootstrap, topic, [(MINIMAL % "user-1").encode()], key=b"k")
        read_until(process, "user-1")
        publish(kafka.bootstrap, topic, [(MINIMAL % "user-2").encode()], key=b"k")
        read_until(process, "user-2")
        assert process.wait(20) == 0


def test_an_interrupt_ends_a_tail_quietly(kafka, topic):
    publish(kafka.bootstrap, topic, [(MINIMAL % "user-1").encode()])
    with running("tail", "-b", kafka.bootstrap, "--topic", topic, "--from", "beginning") as process:
        read_until(process, "user-1")
        result = end(process, signal.SIGINT)
    assert (result.code, result.err) == (130, "")


def test_tail_shows_headers_and_redacts_them(auth_events, kafka, topic):
    newer = b'{"eventType":"Newer","timestamp":"2025-07-01T09:00:00Z","payload":{"name":"alice"}}'
    publish(kafka.bootstrap, topic, [(MINIMAL % "user-1").encode(), newer], partition=1, key=b"user-1")
    asked = ("tail", "--no-follow", "--topic", topic, "--headers")
    open_, _ = auth_events(*asked).lines
    assert (open_["partition"], open_["offset"], open_["key"]) == (1, 0, "user-1")
    assert open_["event"]["payload"]["email"] == "alice@example.com"
    redacted = auth_events(*asked, "--redact", "pseudonym").out
    assert "alice" not in redacted
    assert "user-1" not in redacted


def test_what_cannot_be_read_is_named_and_its_words_are_redacted(auth_events, kafka, topic):
    publish(kafka.bootstrap, topic, [b"alice", (MINIMAL % "user-1").encode()], partition=2)
    asked = ("tail", "--no-follow", "--topic", topic)
    result = auth_events(*asked)
    assert (result.code, len(result.lines)) == (1, 1)
    assert result.err.startswith(f"{topic}-2-0: UnknownFormat: ")
    redacted = auth_events(*asked, "--redact", "contact").err.splitlines()
    assert redacted[0] == f"{topic}-2-0: UnknownFormat"
    assert redacted[1].startswith("messages that cannot be decoded: 1; with --registry")


def test_header_names_that_are_no_text_cost_a_message_its_headers_and_nothing_else(auth_events, kafka, topic):
    for number in range(50):  # Python is less careful after some calls
        send(kafka.bootstrap, topic, (MINIMAL % number).encode(), [(b"fine", b"1"), (b"\xff\xfe", b"2")])
    result = auth_events("tail", "-t", topic, "--no-follow", "--headers")
    assert [json.loads(line)["headers"] for line in result.out.splitlines()] == [[]] * 50


def test_tail_commits_nothing(auth_events, kafka, topic):
    publish(kafka.bootstrap, topic, [(MINIMAL % "user-1").encode()])
    auth_events("tail", "--no-follow", "--topic", topic)
    assert auth_events("lag", "--topic", topic, "--json").document == []


def _canonical(line):
    return json.dumps(json.loads(line), sort_keys=True)
