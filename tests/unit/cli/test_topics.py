"""auth-events topics: plans drawn, advice, wrong use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from immersiverse.auth.events.admin.topic_setup.plan import ClusterState, plan_topics
from immersiverse.auth.events.admin.topic_setup.wanted import DAY, wanted_topics
from immersiverse.auth.events.cli.views import topics as view

LOGIN, USER = "auth.events.login", "auth.events.user"


def test_a_plan_is_drawn_like_a_migration():
    wanted = wanted_topics()
    login = replace(wanted[LOGIN], partitions=6, config={**wanted[LOGIN].config, "retention.ms": "-1"})
    topics = {name: topic for name, topic in wanted.items() if name != USER}
    state = ClusterState("id", 3, {**topics, LOGIN: login})
    lines = view.plan_text(plan_topics(wanted, state, {}, allow_repartition=False)).plain.splitlines()
    assert lines[0] == "= auth.events.dlq"
    where = lines.index("~ auth.events.login")
    assert lines[where + 1] == "    partitions           6 -> 12"
    assert lines[where + 2].startswith("    ! refused: ")
    assert lines[where + 3] == f"    retention.ms         -1 (no limit) -> {14 * DAY} (14 days)"
    assert lines[where + 4] == "      events older than 14 days will be deleted"
    assert "+ auth.events.user" in lines
    assert lines[-1] == "1 to create, 1 to change, 3 as wanted, 1 refused"


def test_advice_shows_its_arithmetic(auth_events):
    result = auth_events("topics", "advise", "--users", "1000000", "--events-per-s", "5000")
    assert (result.code, result.err) == (0, "")
    assert "5,000 events/s * 3 headroom = 15,000 events/s" in result.out
    assert "15,000 / 1,000 events/s each, rounded up = 15" in result.out
    assert "partitions       24" in result.out
    asked = ("topics", "advise", "--users", "1000000", "--events-per-s", "5000", "--json")
    assert auth_events(*asked).document["partitions"] == 24


def test_a_load_that_no_number_of_partitions_spreads_is_exit_code_1(auth_events):
    result = auth_events("topics", "advise", "--users", "5", "--events-per-s", "5000")
    assert (result.code, "make handlers faster" in result.out) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("apply", "a.plan", "--settings", "b.yaml"),
        ("apply", "a.plan", "--allow-repartition"),
        ("apply", "no-such.plan"),
        ("plan", "--settings", "no-such.yaml"),
        ("advise", "--users", "0", "--events-per-s", "1"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_one_line_and_exit_code_2(auth_events, arguments):
    servers = () if arguments[0] == "advise" else ("-b", "127.0.0.1:1")
    result = auth_events("topics", *arguments, *servers)
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
