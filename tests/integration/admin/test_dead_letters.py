"""auth-events dlq on a real Kafka."""

from __future__ import annotations

import base64
import secrets
import threading
from collections import Counter

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from immersiverse.auth.events.admin.cluster import Cluster
from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterFilter
from immersiverse.auth.events.admin.dead_letters.redrive import RateLimit, RedrivePlan, RedriveStatus, redrive
from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
from immersiverse.auth.events.kafka.dead_letters import DeadLetters
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.v1.events_pb2 import UserCreated
from integration.admin.cluster_tools import publish, put_dead_letters, read
from integration.running import eventually, running
from unit.admin.samples import dead_letter_headers

EVENT = (
    b'{"eventType":"UserCreated","timestamp":"2025-07-01T09:00:00Z","payload":{"userId":"user-1",'
    b'"username":"alice","email":"alice@example.com","createdAt":"2025-07-01T09:00:00Z"}}'
)


@pytest.fixture
def dlq(auth_events, topic, dead_letters):
    """Runs a dlq command on the test's own dead letter topic; a redrive may send to the test's topic."""

    def run(command, *arguments):
        allowed = ("--allow-topic", topic) if command == "redrive" else ()
        return auth_events("dlq", command, *arguments, *allowed, "--dlq-topic", dead_letters)

    return run


def sent_back(kafka, topic):
    return Counter(message.key().decode() for message in read(kafka.bootstrap, topic))


def test_a_dead_letter_is_sent_back_with_its_key_value_and_headers(kafka, dlq, topic, dead_letters):
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["user-1"])
    assert dlq("redrive", "--json").document["redrive"] == 1
    (message,) = read(kafka.bootstrap, topic)
    assert (message.key(), message.value()) == (b"user-1", b"value of user-1")
    assert message.headers() == [
        ("ce_id", b"1"),
        ("ce_id", b"2"),
        ("auth-events-redrives", b"1"),
        ("auth-events-redrive-group", b"analytics"),
    ]


def test_a_redrive_reaches_the_group_that_failed_and_no_other(kafka, dlq, group, topic, dead_letters):
    publish(kafka.bootstrap, topic, [EVENT], key=b"user-1")
    assert _failures(kafka, group, topic, dead_letters) == 1
    assert (
        dlq("redrive", "--group", f"not-{group}").err
        == "dead letters: 0 sent back, 1 left out by the filter\n"
    )
    assert dlq("redrive", "--group", group).err == "dead letters: 1 sent back\n"
    for name, expected in ((group, 1), (f"{group}-other", 1), (f"{group}-third", 1)):
        assert _handled(kafka, name, topic) == expected, name


def test_a_redrive_reaches_all_groups_by_choice(kafka, dlq, group, topic, dead_letters):
    publish(kafka.bootstrap, topic, [EVENT], key=b"user-1")
    assert _failures(kafka, group, topic, dead_letters) == 1
    assert dlq("redrive", "--all-groups").err == "dead letters: 1 sent back\n"
    assert [_handled(kafka, name, topic) for name in (group, f"{group}-other")] == [1, 2]


def test_filtered_redrives_send_each_dead_letter_once_and_lose_none(kafka, dlq, topic, dead_letters):
    users = [f"user-{number}" for number in range(9)]
    put_dead_letters(kafka.bootstrap, dead_letters, topic, users)
    assert dlq("redrive", "--dry-run", "--json").document["redrive"] == 9
    assert sent_back(kafka, topic) == {}

    first = dlq("redrive", "--user", "user-4")
    assert (first.code, first.err) == (0, "dead letters: 1 sent back, 8 left out by the filter\n")
    assert dlq("redrive", "--user", "user-4", "--json").document == {
        **dict.fromkeys(RedriveStatus, 0),
        "done": 1,
        "filtered": 8,
    }
    waiting = dlq("list", "--json").document
    assert {row["user"] for row in waiting} == set(users) - {"user-4"}
    assert dlq("redrive").err == "dead letters: 8 sent back, 1 redriven before\n"
    assert dlq("redrive").err == "dead letters: 0 sent back, 9 redriven before\n"
    assert sent_back(kafka, topic) == dict.fromkeys(users, 1)
    assert dlq("list", "--json").document == []
    assert len(dlq("list", "--all", "--json").document) == 9


def test_what_arrives_after_a_redrive_is_sent_by_the_next(kafka, dlq, topic, dead_letters):
    for user in ("user-1", "user-2"):
        put_dead_letters(kafka.bootstrap, dead_letters, topic, [user])
        assert dlq("redrive", "--json").document["redrive"] == 1
    assert sent_back(kafka, topic) == {"user-1": 1, "user-2": 1}


def test_dead_letters_that_were_redriven_too_often_stay(kafka, dlq, topic, dead_letters):
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["often"], auth_events_redrives=b"3")
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["twice"], auth_events_redrives=b"2")
    counted = dlq("redrive", "--json").document
    assert (counted["redrive"], counted["max-redrives"]) == (1, 1)
    assert sent_back(kafka, topic) == {"twice": 1}
    assert dlq("redrive", "--max-redrives", "4", "--json").document["redrive"] == 1


def test_dead_letters_whose_topic_is_gone_or_the_dead_letter_topic_stay(kafka, dlq, dead_letters):
    put_dead_letters(kafka.bootstrap, dead_letters, "gone", ["user-1"])
    put_dead_letters(kafka.bootstrap, dead_letters, dead_letters, ["user-2"])
    assert dlq("redrive", "--json").document["no-origin-topic"] == 2
    assert len(read(kafka.bootstrap, dead_letters)) == 2


def test_a_dead_letter_that_its_topic_refuses_stays_and_is_named(kafka, dlq, group, topic, dead_letters):
    small, admin = f"small-{group}", AdminClient({"bootstrap.servers": kafka.bootstrap})
    limit = {"max.message.bytes": "100"}
    admin.create_topics([NewTopic(small, num_partitions=1, config=limit)])[small].result(30)
    put_dead_letters(kafka.bootstrap, dead_letters, small, ["u" * 200])
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["user-1"])
    result = dlq("redrive", "--allow-topic", small)
    assert result.code == 1
    assert "MSG_SIZE_TOO_LARGE" in result.err.splitlines()[0]
    assert result.err.splitlines()[1] == "dead letters: 1 sent back, 1 refused by their topic"
    assert dlq("redrive", "--allow-topic", small, "--dry-run", "--json").document["redrive"] == 1
    admin.delete_topics([small])[small].result(30)


def test_a_dead_letter_whose_header_names_another_topic_is_not_published_there(
    kafka, auth_events, topic, dead_letters
):
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["user-1"])  # which is no topic of the contract
    result = auth_events("dlq", "redrive", "--dlq-topic", dead_letters)
    assert result.code == 0
    first, *_, last = result.err.splitlines()
    assert f"{topic} is not a topic of the contract; to send it there: --allow-topic {topic}" in first
    assert last == "dead letters: 0 sent back, 1 without a topic to go to"
    assert sent_back(kafka, topic) == {}


def test_messages_that_claim_to_be_markers_or_redriven_hide_no_dead_letter(
    kafka, dlq, group, topic, dead_letters
):
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    honest = [b"poison of user-0", b"poison of user-1"]
    for value in honest:
        producer.produce(topic, value, value[-6:], partition=0)
    for offset in range(2):
        claims = {"auth-events-redriven": f"0-{offset}", "kafka_dlt-exception-message": "all is well"}
        for partition in range(3):
            name = f"{partition}-{offset}"
            headers = {**claims, "auth-events-redriven": name, "auth-events-stub": "7", "trace": "1"}
            producer.produce(topic, b"forged", f"auth-events-redriven/{name}", partition=0, headers=headers)
    assert producer.flush(20) == 0
    config = {"bootstrap.servers": kafka.bootstrap, "group.id": group}
    subscriber = Subscriber(
        config,
        [topic],
        deserializer=AuthEventDeserializer(),
        dead_letters=DeadLetters(config, topic=dead_letters),
    )
    subscriber.on_any(lambda _event, _payload: None)
    with running(subscriber):
        eventually(lambda: len(dlq("list", "--json").document) == 8)
    rows = dlq("list", "--json").document
    assert {row["reason"] for row in rows} == {
        "neither a frame (00) nor a JSON object ({): begins with 70",
        "neither a frame (00) nor a JSON object ({): begins with 66",
    }
    assert not any(row["stub"] for row in rows)
    for message in read(kafka.bootstrap, dead_letters):
        names = [name for name, _ in message.headers()]
        assert len(names) == len(set(names))
        assert "auth-events-redriven" not in names
        assert ("trace" in names) == (message.value() == b"forged")
    assert dlq("redrive").err == "dead letters: 8 sent back\n"


def test_a_forged_count_of_redrives_is_ignored(kafka, dlq, group, topic, dead_letters):
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for claims in (["99999"], ["many"], ["2", "2"], ["2"]):
        headers = [("auth-events-redrives", claim) for claim in claims]
        producer.produce(topic, b"poison", str(claims), headers=headers)
    assert producer.flush(20) == 0
    _failures(kafka, group, topic, dead_letters)
    rows = {row["user"]: row["redrives"] for row in dlq("list", "--json").document}
    assert rows == {"['99999']": 0, "['many']": 0, "['2', '2']": 0, "['2']": 2}


def test_a_stub_is_listed_as_such_and_never_sent_back(kafka, dlq, group, topic, dead_letters):
    publish(kafka.bootstrap, topic, [b"x" * 50_000], key=b"user-1", partition=1)
    config = {"bootstrap.servers": kafka.bootstrap, "group.id": group}
    small = DeadLetters(config, topic=dead_letters, producer_config={"message.max.bytes": 10_000})
    subscriber = Subscriber(config, [topic], deserializer=AuthEventDeserializer(), dead_letters=small)
    subscriber.on_any(lambda _event, _payload: None)
    with running(subscriber):
        eventually(lambda: dlq("list", "--json").document)
    (row,) = dlq("list", "--json").document
    assert (row["stub"], row["originalSize"], len(row["originalSha256"])) == (True, 50_000, 64)
    assert (row["topic"], row["partition"], row["offset"]) == (topic, 1, 0)
    assert "stub of" in dlq("list").out
    assert f"the original is {topic}-1-0" in dlq("show", row["id"]).out
    result = dlq("redrive")
    assert (result.code, result.err.splitlines()[-1]) == (
        0,
        "dead letters: 0 sent back, 1 without their value",
    )
    assert f"the original is {topic}-1-0, until that topic's retention ends" in result.err
    assert len(read(kafka.bootstrap, topic, 1.0)) == 1
    assert dlq("redrive", "--json").document["stub"] == 1


def test_a_batch_is_not_too_large_for_a_topic(kafka, dlq, group, dead_letters):
    small, admin = f"small-{group}", AdminClient({"bootstrap.servers": kafka.bootstrap})
    limit = {"max.message.bytes": "32768"}
    admin.create_topics([NewTopic(small, num_partitions=1, config=limit)])[small].result(30)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for number in range(50):
        producer.produce(
            dead_letters, secrets.token_bytes(2_000), str(number), headers=dead_letter_headers(small)
        )
    assert producer.flush(20) == 0
    assert dlq("redrive", "--allow-topic", small).err == "dead letters: 50 sent back\n"
    admin.delete_topics([small])[small].result(30)


def test_a_rate_is_kept(kafka, topic, dead_letters):
    put_dead_letters(kafka.bootstrap, dead_letters, topic, [f"user-{number}" for number in range(10)])
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    limit = RateLimit(5, clock=lambda: now[0], sleep=sleep)
    plan = RedrivePlan(DeadLetterFilter(), allowed_topics=(topic,))
    results = redrive(_cluster(kafka), dead_letters, plan, rate_limit=limit)
    sent = [now[0] for _ in results]
    assert sent == pytest.approx([number / 5 for number in range(10)])
    assert len(read(kafka.bootstrap, topic, 1.0)) == 10


def test_a_second_redrive_at_a_time_is_refused(kafka, topic, dead_letters):
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["user-1", "user-2"])
    first = redrive(
        _cluster(kafka),
        dead_letters,
        RedrivePlan(DeadLetterFilter(), allowed_topics=(topic,)),
        rate_limit=RateLimit(1),
    )
    next(first)
    with pytest.raises(OperationRefused, match="another redrive"):
        next(redrive(_cluster(kafka), dead_letters, RedrivePlan(DeadLetterFilter(), allowed_topics=(topic,))))
    assert [result.status for result in first] == [RedriveStatus.REDRIVE]
    after = redrive(_cluster(kafka), dead_letters, RedrivePlan(DeadLetterFilter(), allowed_topics=(topic,)))
    assert [result.status for result in after] == [RedriveStatus.DONE, RedriveStatus.DONE]


def test_an_event_that_keeps_failing_is_redriven_until_the_limit(kafka, dlq, group, topic, dead_letters):
    publish(kafka.bootstrap, topic, [EVENT], key=b"user-1")
    rounds = []
    for _ in range(4):
        rounds.append(_failures(kafka, group, topic, dead_letters))
        dlq("redrive", "--max-redrives", "2")
    assert rounds == [1, 1, 1, 0]
    assert [row["redrives"] for row in dlq("list", "--all", "--json").document] == [0, 1, 2]
    assert [row["redrives"] for row in dlq("list", "--json").document] == [2]


def test_lists_filter_and_show_the_newest(kafka, dlq, topic, dead_letters):
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["user-1", "user-2", "user-3"])
    put_dead_letters(kafka.bootstrap, dead_letters, "other", ["user-1"])
    assert len(dlq("list", "--topic", topic, "--json").document) == 3
    assert len(dlq("list", "--user", "user-1", "--error", "geo", "--json").document) == 2
    assert dlq("list", "--error", "KeyError", "--json").document == []
    assert len(dlq("list", "--since", "5m", "--json").document) == 4
    assert dlq("list", "--until", "5m", "--json").document == []
    newest = dlq("list", "--limit", "1")
    assert newest.err == "4 dead letters, the newest 1 shown\n"
    assert "TimeoutError" in newest.out


def test_a_dead_letter_is_shown_completely(kafka, dlq, topic, dead_letters):
    publish(kafka.bootstrap, topic, [EVENT, b"rubbish"], key=b"user-1")
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["user-1"])
    publish(kafka.bootstrap, dead_letters, [EVENT], partition=0)
    rows = {row["error"]: row["id"] for row in dlq("list", "--json").document}

    whole = dlq("show", rows["builtins.TimeoutError"], "--json").document
    assert base64.b64decode(whole["valueBase64"]) == b"value of user-1"
    assert whole["unreadable"].startswith("UnknownFormat: ")
    assert whole["headers"] == [["ce_id", "1"], ["ce_id", "2"]]

    text = dlq("show", rows["builtins.TimeoutError"]).out
    assert "00000000  76 61 6c 75 65 20 6f 66 20 75 73 65 72 2d 31     value of user-1" in text
    assert text.endswith("stack trace\nTraceback ...\n")

    readable = dlq("show", f"{dead_letters}-{rows['']}", "--json").document
    assert readable["event"]["payload"]["username"] == "alice"


def test_a_dead_letter_that_does_not_exist_is_named(kafka, dlq, topic, dead_letters):
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["user-1"])
    dlq("redrive")
    (marker,) = [m for m in read(kafka.bootstrap, dead_letters) if m.value().startswith(b"{")]
    for name in (f"{marker.partition()}-{marker.offset()}", "0-99", "7-0"):
        result = dlq("show", name)
        assert (result.code, result.out) == (1, "")
        assert f"dead letter {dead_letters}-{name} does not exist" in result.err


def _cluster(kafka):
    # A file of settings may name a static member; two of one name would put each other out of a group.
    return Cluster({"bootstrap.servers": kafka.bootstrap, "group.instance.id": "pod-1"})


def _handled(kafka, group, topic):
    """How many events a subscriber of a group handles."""
    config = {"bootstrap.servers": kafka.bootstrap, "group.id": group}
    subscriber = Subscriber(config, [topic], deserializer=AuthEventDeserializer())
    handled = []
    subscriber.on_any(lambda event, _payload: handled.append(event.event_id))
    threading.Timer(4.0, subscriber.stop).start()
    subscriber.run()
    return len(handled)


def _failures(kafka, group, topic, dead_letters):
    """How many dead letters a subscriber writes whose handler always fails."""
    config = {"bootstrap.servers": kafka.bootstrap, "group.id": group}
    before = len(read(kafka.bootstrap, dead_letters, 1.0))
    subscriber = Subscriber(
        config,
        [topic],
        deserializer=AuthEventDeserializer(),
        policy=Policy(retry=Retry(attempts=1)),
        dead_letters=DeadLetters(config, topic=dead_letters),
    )

    @subscriber.on(UserCreated)
    def fail(_event, _payload):
        raise TimeoutError("geo lookup took 5 s")

    timer = threading.Timer(2.5, subscriber.stop)
    timer.start()
    subscriber.run()
    return len(read(kafka.bootstrap, dead_letters, 1.0)) - before
