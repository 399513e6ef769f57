"""auth-events topics on a real Kafka, with topics that no other test knows in the place of the contract's."""

from __future__ import annotations

import time
import uuid

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, ResourceType

from component.cli.typing_terminal import typing
from immersiverse.auth.events import EmbeddedBroker, catalog
from immersiverse.auth.events.admin.cluster import Cluster
from immersiverse.auth.events.admin.topic_setup import changes, wanted
from immersiverse.auth.events.admin.topics import existing_topics
from integration.admin.cluster_tools import member, publish
from integration.running import eventually

DAY = 86_400_000
ONE_BROKER = "defaults: {partitions: 3, replication: 1}\n"


@pytest.fixture
def admin(kafka):
    return AdminClient({"bootstrap.servers": kafka.bootstrap})


@pytest.fixture
def names(monkeypatch, admin):
    """Two topics of events and one of dead letters, which do not exist yet."""
    unique = uuid.uuid4()
    users, logins, dead_letters = (f"topics-{unique}.{each}" for each in ("user", "login", "dlq"))
    monkeypatch.setattr(catalog, "TOPICS", (users, logins))
    monkeypatch.setattr(catalog, "DEAD_LETTER_TOPIC", dead_letters)
    yield users, logins, dead_letters
    if left := {users, logins, dead_letters} & set(admin.list_topics(timeout=30).topics):
        for future in admin.delete_topics(list(left)).values():
            future.result(timeout=30)


@pytest.fixture
def settings(tmp_path):
    file = tmp_path / "topics.yaml"
    file.write_text(ONE_BROKER)
    return file


@pytest.fixture
def topics(auth_events, settings):
    """Runs a command for topics with the settings."""
    return lambda command, *more: auth_events("topics", command, "--settings", settings, *more)


def config_of(admin, topic):
    (answer,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {name: entry.value for name, entry in answer.result(timeout=30).items()}


def partitions_of(admin, topic):
    return len(admin.list_topics(timeout=30).topics[topic].partitions)


def test_missing_topics_are_created_and_stay_as_wanted(topics, names, admin):
    missing = topics("check")
    assert missing.code == 1
    assert f"+ {names[0]}" in missing.out
    assert f"not as wanted: {names[2]}, {names[0]}, {names[1]}" in missing.err

    created = topics("apply", "--yes")
    assert (created.code, created.err.splitlines()[-1]) == (0, "the topics are as wanted")
    assert [config_of(admin, name)["retention.ms"] for name in names] == [
        *[str(14 * DAY)] * 2,
        str(30 * DAY),
    ]
    assert config_of(admin, names[2])["max.message.bytes"] == "1073164"
    assert [partitions_of(admin, name) for name in names] == [3, 3, 3]

    again = topics("apply", "--yes")
    assert (again.code, again.err) == (0, "nothing to do\n")
    assert (topics("check").code, topics("check").err) == (0, "")


def test_what_differs_is_changed_and_other_settings_are_left_alone(topics, names, admin, settings):
    existing = NewTopic(names[1], 3, 1, config={"retention.ms": str(DAY), "segment.ms": "3600000"})
    admin.create_topics([existing])[names[1]].result(timeout=30)
    drift = topics("check", "--json")
    assert drift.code == 1
    (login,) = [topic for topic in drift.document["topics"] if topic["topic"] == names[1]]
    assert login["action"] == "change"
    assert login["settings"] == [{"name": "retention.ms", "before": str(DAY), "after": str(14 * DAY)}]
    assert topics("apply", "--yes").code == 0
    config = config_of(admin, names[1])
    assert (config["retention.ms"], config["segment.ms"]) == (str(14 * DAY), "3600000")

    settings.write_text(f"{ONE_BROKER}topics: {{{names[1]}: {{max.message.bytes: 2000000}}}}\n")
    assert topics("apply", "--yes").code == 0
    assert [config_of(admin, names[n])["max.message.bytes"] for n in (1, 2)] == ["2000000", "2024576"]


def test_a_plan_file_is_applied_once_again_and_not_after_changes_by_others(
    topics, auth_events, names, admin, tmp_path
):
    file = tmp_path / "topics.plan"
    assert topics("plan", "--out", file).code == 0
    assert names[0] not in admin.list_topics(timeout=30).topics
    assert auth_events("topics", "apply", file).code == 0
    assert auth_events("topics", "apply", file).err == "nothing to do\n"

    admin.create_partitions([NewPartitions(names[0], 4)])[names[0]].result(timeout=30)
    refused = auth_events("topics", "apply", file)
    assert (refused.code, refused.out) == (1, "")
    assert f"{names[0]} was changed (partitions is 4) since the plan was made; plan again" in refused.err


def test_a_plan_for_another_cluster_is_refused(topics, auth_events, names, admin, tmp_path):
    file = tmp_path / "topics.plan"
    topics("plan", "--out", file)
    cluster_id = admin.list_topics(timeout=30).cluster_id
    file.write_text(file.read_text().replace(cluster_id, "another"))
    refused = auth_events("topics", "apply", file)
    assert refused.code == 1
    assert f"the plan is for cluster another, and this is cluster {cluster_id}" in refused.err
    assert names[0] not in admin.list_topics(timeout=30).topics


def test_an_interrupted_plan_is_continued(topics, auth_events, kafka, names, tmp_path):
    file = tmp_path / "topics.plan"
    topics("plan", "--out", file)
    cluster = Cluster({"bootstrap.servers": kafka.bootstrap})
    states = wanted.wanted_topics({"defaults": {"partitions": 3, "replication": 1}})
    plan = changes.make_plan(cluster, states, allow_repartition=False)

    def interrupt(_step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        changes.apply(cluster, plan, interrupt)
    eventually(lambda: set(names) & set(existing_topics(cluster)) == {names[2]})
    continued = auth_events("topics", "apply", file)
    assert continued.code == 0
    assert f"created {names[2]}" not in continued.err
    assert topics("check").code == 0


def test_partitions_are_added_only_when_allowed_and_never_removed(topics, names, admin, settings):
    topics("apply", "--yes")
    settings.write_text("defaults: {partitions: 6, replication: 1}\n")
    refused = topics("apply", "--yes")
    assert refused.code == 1
    assert "of 10,000 sample users (50%) move to another partition" in refused.out
    assert partitions_of(admin, names[0]) == 3
    assert topics("apply", "--yes", "--allow-repartition").code == 0
    assert partitions_of(admin, names[0]) == 6

    settings.write_text(ONE_BROKER)
    fewer = topics("plan", "--allow-repartition")
    assert (fewer.code, "Kafka cannot remove partitions" in fewer.out) == (1, True)


def test_a_retention_shorter_than_a_groups_lag_is_refused(topics, names, kafka, group, settings):
    settings.write_text("defaults: {partitions: 3, replication: 1, retention.days: 60}\n")
    topics("apply", "--yes")
    old, new = (int(time.time() * 1000) - days * DAY for days in (20, 1))
    publish(kafka.bootstrap, names[1], [b"read"], partition=0, at=old)
    with member(kafka.bootstrap, group, names[1]):
        pass
    publish(kafka.bootstrap, names[1], [b"unread"] * 4, partition=0, at=old)
    publish(kafka.bootstrap, names[1], [b"unread, and kept"] * 2, partition=0, at=new)
    publish(kafka.bootstrap, names[0], [b"read by no group"], partition=0, at=old)

    settings.write_text(ONE_BROKER)
    refused = topics("apply", "--yes")
    assert refused.code == 1
    assert refused.out.count("refused: ") == 1
    assert f"group {group} has not read 4 events that are older than 14 days" in refused.out
    assert topics("plan", "--json").code == 1  # as before

    with member(kafka.bootstrap, group, names[1]):
        pass
    assert topics("apply", "--yes").code == 0
    assert topics("check").code == 0


def test_replicas_without_brokers_are_refused(auth_events, names, admin):
    refused = auth_events("topics", "apply", "--yes")
    assert refused.code == 1
    assert "3 replicas need as many brokers, and the cluster has 1 now" in refused.out
    assert names[0] not in admin.list_topics(timeout=30).topics


def test_without_a_terminal_yes_is_required(topics, names, admin):
    refused = topics("apply")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert names[0] not in admin.list_topics(timeout=30).topics


def test_at_a_terminal_it_asks(kafka, tmp_path, admin):
    settings = tmp_path / "topics.yaml"
    existing = admin.list_topics(timeout=30).topics  # other tests may have made the contract's topics
    counts = {
        name: len(existing[name].partitions)
        for name in wanted.contract_topics(single_topic=True)
        if name in existing
    }
    own = "".join(f"  {name}: {{partitions: {count}}}\n" for name, count in counts.items())
    settings.write_text(f"defaults: {{replication: 1, retention.days: 77}}\ntopics:\n{own}")
    asked = ("topics", "apply", "--single-topic", "--settings", settings, "-b", kafka.bootstrap)
    with typing(*asked, columns=80) as terminal:
        terminal.wait_for(r"Change \d topics\? \[y/N\]: ")
        terminal.type("n\n")
        terminal.wait_for("nothing was changed")
        assert terminal.code() == 1
    assert set(admin.list_topics(timeout=30).topics) == set(existing)


def test_an_embedded_broker_says_that_it_has_no_settings_of_topics(auth_events):
    with EmbeddedBroker() as broker:
        result = auth_events("topics", "plan", "-b", broker.bootstrap)
    assert (result.code, result.out) == (1, "")
    assert "this is an embedded broker" in result.err
    assert result.err.count("\n") == 1


def test_a_cluster_out_of_reach_is_one_line_and_no_connection(auth_events):
    result = auth_events("topics", "check", "-b", "127.0.0.1:1")
    assert (result.code, result.out) == (3, "")
    assert "Kafka does not answer at 127.0.0.1:1" in result.err
