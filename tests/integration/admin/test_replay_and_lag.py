"""auth-events replay and lag on a real Kafka."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from component.cli.terminal import running
from integration.admin.cluster_tools import member, publish


@pytest.fixture
def numbers(kafka, topic):
    """Ten values in partition 0, five in partition 1, none in partition 2."""
    publish(kafka.bootstrap, topic, [b"old"] * 4, partition=0, at=1_000_000)
    publish(kafka.bootstrap, topic, [b"new"] * 6, partition=0, at=2_000_000)
    publish(kafka.bootstrap, topic, [b"new"] * 5, partition=1, at=2_000_000)
    return topic


@pytest.fixture(params=["classic", "consumer"])
def read_group(request, kafka, numbers, group):
    """A group that has read everything and stopped."""
    with member(kafka.bootstrap, group, numbers, request.param):
        pass
    return group


def lags(auth_events, group):
    return {row["partition"]: row["lag"] for row in auth_events("lag", "-g", group, "--json").document}


def test_a_group_continues_at_the_target(auth_events, numbers, read_group):
    asked = ("replay", "-g", read_group, "-t", numbers, "--json")
    assert lags(auth_events, read_group) == {0: 0, 1: 0}

    result = auth_events(*asked, "--to-timestamp", "1970-01-01T00:16:41Z", "--yes")
    assert result.code == 0
    assert [(m["current"], m["target"], m["again"]) for m in result.document][:2] == [(10, 4, 6), (5, 0, 5)]
    assert lags(auth_events, read_group) == {0: 6, 1: 5, 2: 0}

    auth_events(*asked, "--to-beginning", "--partition", "0", "--yes")
    assert lags(auth_events, read_group) == {0: 10, 1: 5, 2: 0}

    clamped = auth_events(*asked, "--to-offset", "7", "--yes").document
    assert [m["note"] for m in clamped] == [
        "",
        "7 is not written yet: the end is 5",
        "7 is not written yet: the end is 0",
    ]
    assert lags(auth_events, read_group) == {0: 3, 1: 0, 2: 0}

    auth_events(*asked, "--to-end", "--yes")
    assert lags(auth_events, read_group) == {0: 0, 1: 0, 2: 0}


def test_a_time_after_all_messages_is_the_end(auth_events, numbers, read_group):
    asked = ("replay", "-g", read_group, "-t", numbers, "--to-timestamp", "2099-01-01", "--dry-run", "--json")
    assert {move["note"] for move in auth_events(*asked).document} == {"all messages are older"}


def test_a_dry_run_changes_nothing_and_without_a_terminal_yes_is_required(auth_events, numbers, read_group):
    asked = ("replay", "-g", read_group, "-t", numbers, "--to-beginning")
    assert auth_events(*asked, "--dry-run").code == 0
    refused = auth_events(*asked)
    assert refused.code == 2
    assert "--yes" in refused.err
    assert lags(auth_events, read_group) == {0: 0, 1: 0}


def test_a_plan_says_that_an_inbox_drops_what_is_read_again(auth_events, numbers, read_group):
    asked = ("replay", "-g", read_group, "-t", numbers, "--dry-run")
    command = f"auth-events inbox forget --consumer {read_group} --all"
    assert command in auth_events(*asked, "--to-beginning").err
    assert "inbox" not in auth_events(*asked, "--to-end").err


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_live_group_is_refused(auth_events, kafka, numbers, group, protocol):
    with member(kafka.bootstrap, group, numbers, protocol):
        result = auth_events("replay", "-g", group, "-t", numbers, "--to-beginning", "--yes")
        assert result.code == 1
        assert f"consumer group '{group}' is running: 1 members (rdkafka at 127.0.0.1)" in result.err
        assert lags(auth_events, group)[0] == 0


def test_what_does_not_exist_is_named(auth_events, numbers, read_group):
    def replay(group, topic, *more):
        return auth_events("replay", "-g", group, "-t", topic, "--to-beginning", "--yes", *more)

    assert "consumer group 'missing' does not exist" in replay("missing", numbers).err
    assert "topic 'nowhere' does not exist" in replay(read_group, "nowhere").err
    assert "has no partition 3" in replay(read_group, numbers, "--partition", "3").err
    assert {replay("missing", numbers).code, replay(read_group, "nowhere").code} == {1}


def test_a_new_group_can_get_offsets(auth_events, numbers, group):
    asked = ("replay", "-g", group, "-t", numbers, "--to-offset", "8", "--partition", "0", "--yes")
    assert auth_events(*asked, "--new-group").code == 0
    assert lags(auth_events, group) == {0: 2}


def test_exactly_one_target_is_asked_for(auth_events, numbers):
    none = auth_events("replay", "-g", "g", "-t", numbers)
    two = auth_events("replay", "-g", "g", "-t", numbers, "--to-end", "--to-offset", "1")
    assert (none.code, two.code) == (2, 2)
    assert none.err == two.err


def test_lag_shows_members_partitions_and_sums(auth_events, kafka, numbers, group):
    with member(kafka.bootstrap, group, numbers):
        publish(kafka.bootstrap, numbers, [b"late"] * 3, partition=1)
        rows = auth_events("lag", "-g", group, "--json").document
        assert {row["state"] for row in rows} == {"stable"}
        assert [(r["partition"], r["committed"], r["end"], r["lag"]) for r in rows] == [
            (0, 10, 10, 0),
            (1, 5, 8, 3),
            (2, None, 0, 0),
        ]
        assert "3" in auth_events("lag", "-g", group).out.splitlines()[-2]


def test_without_names_groups_that_read_something_else_are_left_out(auth_events, numbers, read_group):
    everywhere = auth_events("lag", "--json").document
    assert read_group not in {row["group"] for row in everywhere}
    assert {row["group"] for row in auth_events("lag", "--topic", numbers, "--json").document} == {read_group}


def test_a_group_that_does_not_exist_is_named(auth_events):
    result = auth_events("lag", "-g", "missing")
    assert (result.code, result.err) == (
        1,
        "auth-events: consumer group 'missing' does not exist (GROUP_ID_NOT_FOUND)\n",
    )


def test_offsets_that_a_transaction_has_not_committed_yet_are_not_waited_for(
    auth_events, kafka, numbers, read_group
):
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": read_group})
    reader = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": read_group})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.send_offsets_to_transaction(
        [TopicPartition(numbers, 0, 3)], reader.consumer_group_metadata(), 20
    )
    assert lags(auth_events, read_group) == {0: 0, 1: 0}
    producer.commit_transaction(20)
    reader.close()
    assert lags(auth_events, read_group) == {0: 7, 1: 0}


def test_a_similar_name_is_suggested(auth_events, numbers, read_group):
    asked = auth_events("replay", "-g", read_group[:-1], "-t", numbers, "--to-end", "--yes")
    assert f"consumer group '{read_group[:-1]}' does not exist; did you mean '{read_group}'" in asked.err
    assert f"did you mean '{numbers}'" in auth_events("lag", "-t", numbers.upper()).err
    assert "did you mean" not in auth_events("lag", "-t", "?").err


def test_a_topic_that_the_group_never_read_is_asked_about(auth_events, numbers, group):
    asked = ("replay", "-g", group, "-t", numbers, "--to-end", "--new-group", "--dry-run", "--json")
    result = auth_events(*asked)
    assert (result.code, len(result.document)) == (0, 3)
    assert "is this the right topic?" in result.err


def test_a_cluster_out_of_reach_is_one_line_and_no_connection():
    asked = [
        ("lag",),
        ("replay", "-g", "g", "-t", "t", "--to-end", "--yes"),
        ("tail",),
        ("dlq", "list", "--json"),
        ("dlq", "redrive", "--json"),
        ("publish", "--format", "json", "--json"),
    ]
    with ExitStack() as stack:  # each waits for ten seconds: all at once
        begun = [stack.enter_context(running(*command, "-b", "127.0.0.1:1")) for command in asked]
        for process in begun:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, out) == (3, "")
            assert len(err.splitlines()) == 1
            assert "Kafka does not answer at 127.0.0.1:1" in err
