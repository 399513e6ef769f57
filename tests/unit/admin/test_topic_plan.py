"""What topics are to be like, and the plan that brings them there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events import catalog
from immersiverse.auth.events.admin.topic_setup import plan_file
from immersiverse.auth.events.admin.topic_setup.plan import (
    AddPartitions,
    ClusterState,
    CreateTopic,
    SetConfig,
    Unread,
    plan_topics,
    steps,
)
from immersiverse.auth.events.admin.topic_setup.wanted import (
    DAY,
    DEAD_LETTER_ROOM,
    least_dead_letter_limit,
    read_settings,
    wanted_topics,
)
from immersiverse.auth.events.errors import ConfigurationError, OperationRefused

LOGIN, USER, DEAD = "auth.events.login", "auth.events.user", catalog.DEAD_LETTER_TOPIC
DEFAULTS = wanted_topics()


def cluster(topics, brokers=3):
    return ClusterState("cluster-1", brokers, topics)


def planned(wanted, topics, unread=None, *, allow_repartition=False, brokers=3):
    state = cluster(topics, brokers)
    return plan_topics(wanted, state, unread or {}, allow_repartition=allow_repartition)


def with_config(topic, **config):
    return replace(topic, config={**topic.config, **{k.replace("_", "."): v for k, v in config.items()}})


def made(state, step):
    """The state after a step."""
    topics = dict(state.topics)
    match step:
        case CreateTopic(topic, new):
            assert topic not in topics
            topics[topic] = new
        case AddPartitions(topic, total):
            assert total > topics[topic].partitions
            topics[topic] = replace(topics[topic], partitions=total)
        case SetConfig(topic, config):
            topics[topic] = replace(topics[topic], config={**topics[topic].config, **config})
    return replace(state, topics=topics)


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "partitions": st.integers(1, 40),
        "replication": st.integers(1, 3),
        "retention.days": st.integers(7, 60),
        "max.message.bytes": st.integers(32_768, 5_000_000),
        "compression.type": st.sampled_from(["producer", "lz4", "zstd"]),
    },
)
WANTED = st.builds(
    lambda defaults, login: wanted_topics({"defaults": defaults, "topics": {LOGIN: login}}),
    SETTINGS,
    SETTINGS,
)
EXISTING = st.builds(
    lambda wanted, names: {name: state for name, state in wanted.items() if name in names},
    WANTED,
    st.sets(st.sampled_from([*catalog.TOPICS, DEAD])),
)


def test_by_default_the_contracts_topics_keep_events_for_14_days_and_dead_letters_for_30():
    assert set(DEFAULTS) == {*catalog.TOPICS, DEAD}
    assert {topic.retention_ms for name, topic in DEFAULTS.items() if name != DEAD} == {14 * DAY}
    assert DEFAULTS[DEAD].retention_ms == 30 * DAY
    assert DEFAULTS[LOGIN].config["min.insync.replicas"] == "2"
    assert set(wanted_topics(single_topic=True)) == {catalog.SINGLE_TOPIC, DEAD}


def test_a_section_of_a_topic_is_over_the_defaults():
    wanted = wanted_topics(
        {
            "defaults": {"partitions": 6, "replication": 2, "retention.days": 20, "compression.type": "lz4"},
            "topics": {LOGIN: {"partitions": 48, "retention.days": 7}, DEAD: {"retention.days": 60}},
        }
    )
    assert (wanted[LOGIN].partitions, wanted[USER].partitions, wanted[DEAD].partitions) == (48, 6, 6)
    assert [wanted[name].retention_ms / DAY for name in (LOGIN, USER, DEAD)] == [7, 20, 60]
    assert (wanted[USER].config["compression.type"], wanted[DEAD].config["compression.type"]) == (
        "lz4",
        "producer",
    )
    assert wanted[USER].config["min.insync.replicas"] == "1"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"defaults": {"retention.days": 6}}, "retention.days: must be a whole number from 7"),
        ({"defaults": {"partitions": True}}, "partitions: must be a whole number"),
        ({"defaults": {"partitions": "12"}}, "partitions: must be a whole number"),
        ({"defaults": {"partition": 12}}, "did you mean 'partitions'?"),
        ({"topics": {"auth.event.login": {}}}, "did you mean 'auth.events.login'?"),
        ({"topic": {}}, "did you mean 'topics'?"),
        ({"defaults": [1]}, "defaults: must be a mapping"),
        ([1], "must be a mapping"),
        ({"defaults": {"compression.type": "brotli"}}, "must be one of producer"),
        ({"defaults": {"replication": 1, "min.insync.replicas": 2}}, "no event would be acknowledged"),
        ({"topics": {DEAD: {"max.message.bytes": 1_048_588}}}, "must be at least 1073164"),
        ({"topics": {DEAD: {"compression.type": "lz4"}}}, "must be producer or zstd"),
    ],
)
def test_a_setting_that_is_wrong_or_loses_events_is_refused(document, says):
    with pytest.raises(ConfigurationError) as refused:
        wanted_topics(document)
    assert says in str(refused.value)


@pytest.mark.parametrize("content", [b"defaults: [", b"\xff\xfe", b"[" * 5_000])
def test_a_file_that_is_not_yaml_is_a_configuration_error(tmp_path, content):
    file = tmp_path / "topics.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"topics\.yaml"):
        read_settings(file)


@given(WANTED)
def test_every_dead_letter_fits_its_topic(wanted):
    events = [topic.message_limit for name, topic in wanted.items() if name != DEAD]
    assert wanted[DEAD].message_limit >= max(events) + DEAD_LETTER_ROOM


@given(WANTED, EXISTING)
def test_a_plan_that_was_applied_leaves_nothing_to_do_and_deletes_nothing(wanted, existing):
    plan = planned(wanted, existing, allow_repartition=True)
    if plan.refusals:
        return
    state = cluster(existing)
    for step in steps(plan.changes):
        state = made(state, step)
    assert set(state.topics) == set(wanted)
    assert planned(wanted, state.topics).pending == ()
    assert state.topics == {change.topic: change.after for change in plan.changes}


@given(WANTED, EXISTING, st.integers(0, 20))
def test_a_plan_file_continues_after_any_step_and_ends_where_the_plan_does(wanted, existing, stop):
    plan = planned(wanted, existing, allow_repartition=True)
    if plan.refusals:
        return
    saved = plan_file.decode(plan_file.encode(plan), "file")
    assert saved.changes == plan.changes
    state = cluster(existing)
    for step in list(steps(plan.changes))[:stop]:
        state = made(state, step)
    plan_file.require_unchanged(saved, state)
    for step in steps(planned(saved.wanted, state.topics, allow_repartition=True).changes):
        state = made(state, step)
    assert state.topics == {change.topic: change.after for change in plan.changes}


@given(WANTED, EXISTING)
def test_dead_letters_fit_after_every_step_if_they_fitted_before(wanted, existing):
    state = cluster(existing)
    if DEAD not in existing:
        return
    for step in steps(planned(wanted, existing, allow_repartition=True).changes):
        state = made(state, step)
        assert state.topics[DEAD].message_limit >= least_dead_letter_limit(state.topics)


@given(WANTED, EXISTING)
def test_each_refusal_and_warning_is_of_a_setting_that_changes(wanted, existing):
    plan = planned(wanted, existing, {LOGIN: [Unread("analytics", 3)]})
    changing = {(change.topic, setting.name) for change in plan.changes for setting in change.settings}
    assert {(remark.topic, remark.setting) for remark in (*plan.refusals, *plan.warnings)} <= changing


def test_the_dead_letter_topics_limit_never_shrinks():
    larger = {**DEFAULTS, DEAD: with_config(DEFAULTS[DEAD], max_message_bytes="9000000")}
    plan = planned(DEFAULTS, larger)
    assert plan.pending == ()


def refusals(wanted, topics, unread=None, **options):
    return [(r.topic, r.setting, r.text) for r in planned(wanted, topics, unread, **options).refusals]


def test_fewer_partitions_are_refused_even_if_keys_may_move():
    more = {**DEFAULTS, LOGIN: replace(DEFAULTS[LOGIN], partitions=24)}
    ((topic, setting, text),) = refusals(DEFAULTS, more, allow_repartition=True)
    assert (topic, setting) == (LOGIN, "partitions")
    assert "set partitions: 24" in text


def test_more_partitions_are_refused_with_the_figure_of_users_that_move():
    fewer = {**DEFAULTS, LOGIN: replace(DEFAULTS[LOGIN], partitions=8)}
    ((topic, _, text),) = refusals(DEFAULTS, fewer)
    assert topic == LOGIN
    assert "of 10,000 sample users (67%) move" in text
    assert "--allow-repartition" in text
    allowed = planned(DEFAULTS, fewer, allow_repartition=True)
    assert (allowed.refusals, len(allowed.warnings)) == ((), 1)
    assert list(steps(allowed.changes)) == [AddPartitions(LOGIN, 12)]


@pytest.mark.parametrize(
    "before",
    [
        {"retention_ms": str(30 * DAY)},
        {"retention_ms": "-1"},
        {"cleanup_policy": "compact"},
    ],
)
def test_a_shorter_retention_is_refused_while_a_group_has_unread_events_that_it_deletes(before):
    longer = {**DEFAULTS, LOGIN: with_config(DEFAULTS[LOGIN], **before)}
    ((topic, _, text),) = refusals(DEFAULTS, longer, {LOGIN: [Unread("analytics", 1_234)]})
    assert topic == LOGIN
    assert "group analytics has not read 1,234 events that are older than 14 days" in text
    caught_up = planned(DEFAULTS, longer, {LOGIN: []})
    assert caught_up.refusals == ()
    assert [warning.text for warning in caught_up.warnings] == ["events older than 14 days will be deleted"]


def test_a_longer_retention_is_never_refused():
    shorter = {**DEFAULTS, LOGIN: with_config(DEFAULTS[LOGIN], retention_ms=str(8 * DAY))}
    plan = planned(DEFAULTS, shorter, {LOGIN: [Unread("analytics", 5)]})
    assert (plan.refusals, plan.warnings) == ((), ())
    assert list(steps(plan.changes)) == [SetConfig(LOGIN, {"retention.ms": str(14 * DAY)})]


def test_replicas_that_no_broker_can_hold_and_those_of_existing_topics_are_refused():
    assert {setting for _, setting, _ in refusals(DEFAULTS, {}, brokers=2)} == {"replication"}
    fewer = {**DEFAULTS, LOGIN: replace(DEFAULTS[LOGIN], replication=1)}
    ((topic, _, text),) = refusals(DEFAULTS, fewer)
    assert topic == LOGIN
    assert "kafka-reassign-partitions.sh" in text


def saved_plan(topics):
    return plan_file.decode(plan_file.encode(planned(DEFAULTS, topics)), "file")


def test_a_plan_file_is_refused_on_another_cluster_and_after_changes_by_others():
    saved = saved_plan({LOGIN: DEFAULTS[LOGIN]})
    with pytest.raises(OperationRefused, match="the plan is for cluster cluster-1"):
        plan_file.require_unchanged(saved, replace(cluster({}), cluster_id="other"))
    with pytest.raises(OperationRefused, match=f"{LOGIN} was deleted since"):
        plan_file.require_unchanged(saved, cluster({}))
    other = {LOGIN: with_config(DEFAULTS[LOGIN], retention_ms="-1")}
    with pytest.raises(OperationRefused, match=r"was changed \(retention.ms is -1\)"):
        plan_file.require_unchanged(saved, cluster(other))
    by_others = {LOGIN: DEFAULTS[LOGIN], USER: replace(DEFAULTS[USER], partitions=1)}
    with pytest.raises(OperationRefused, match=r"auth\.events\.user was changed \(partitions is 1\)"):
        plan_file.require_unchanged(saved, cluster(by_others))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ((b"auth.events.login", b"payments"), "not the contract's"),
        ((str(14 * DAY).encode(), b"1"), "retention is less than 7 days"),
        ((b'"1073164"', b'"1048588"'), "must be at least 1073164"),
        ((b'"cleanup.policy":', b'"preallocate":'), "is not a plan"),
        ((b'"format": 1', b'"format": 2'), "another version"),
        ((b'"topics"', b'"topic"'), "is not a plan"),
        ((b"{", b""), "is not a plan"),
        ((b'"cleanup.policy": "delete"', b'"cleanup.policy": "compact"'), "compaction loses events"),
    ],
)
def test_a_plan_file_that_was_edited_can_do_no_more_harm_than_a_plan(edit, says):
    content = plan_file.encode(planned(DEFAULTS, {}))
    assert edit[0] in content
    with pytest.raises(ConfigurationError, match=says):
        plan_file.decode(content.replace(*edit), "file")
