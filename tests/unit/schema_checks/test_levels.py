"""Levels: which versions are asked, and who must read whom."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.compatibility_level import Direction, Level
from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.schema_checks.verdict import refused_changes

TRANSITIVE = [level for level in Level if level.transitive]


@pytest.fixture(scope="module")
def one(schema):
    return schema("message Book { string title = 1; }")


@pytest.fixture(scope="module")
def grown(schema):
    return schema("message Book { string title = 1; Page page = 2; } message Page {}")


@pytest.fixture(scope="module")
def broken(schema):
    return schema("message Book { int32 title = 1; }")


def facts(changes):
    return [(change.kind, change.path, change.direction, change.version) for change in changes]


def test_backward_lets_a_message_come_and_forward_lets_it_go(one, grown):
    assert refused_changes(grown, [one], level=Level.BACKWARD) == []
    assert refused_changes(one, [grown], level=Level.FORWARD) == []
    removed = ("MESSAGE_REMOVED", "#/Page")
    assert facts(refused_changes(one, [grown], level=Level.BACKWARD)) == [(*removed, Direction.BACKWARD, 0)]
    assert facts(refused_changes(grown, [one], level=Level.FORWARD)) == [(*removed, Direction.FORWARD, 0)]


def test_a_forward_change_has_the_earlier_side_as_old_and_explains_the_reverse(one, grown):
    (change,) = refused_changes(grown, [one], level=Level.FORWARD)
    assert (change.old, change.new) == ("", "message Page")
    assert "adds this message" in change.sentence


def test_full_is_backward_and_forward(one, grown, broken):
    for old, new in [(one, grown), (grown, one), (one, broken), (grown, broken)]:
        both = refused_changes(new, [old], level=Level.BACKWARD) + refused_changes(
            new, [old], level=Level.FORWARD
        )
        assert refused_changes(new, [old], level=Level.FULL) == both


@pytest.mark.parametrize("rules", Rules)
def test_none_forbids_nothing(one, broken, rules):
    assert refused_changes(broken, [one], level=Level.NONE, rules=rules) == []


def test_plain_levels_ask_the_last_version_and_transitive_ones_every_version(one, broken):
    history = [one, broken, one, broken]
    assert refused_changes(broken, history, level=Level.BACKWARD) == []
    assert [
        change.version for change in refused_changes(broken, history, level=Level.BACKWARD_TRANSITIVE)
    ] == [0, 2]
    assert [
        change.version for change in refused_changes(broken, history, level=Level.FORWARD_TRANSITIVE)
    ] == [0, 2]
    full = refused_changes(broken, history, level=Level.FULL_TRANSITIVE)
    assert [change.version for change in full] == [0, 0, 2, 2]


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("rules", Rules)
def test_a_first_version_is_always_allowed(broken, level, rules):
    assert refused_changes(broken, [], level=level, rules=rules) == []


@pytest.mark.parametrize("level", [level for level in Level if level is not Level.NONE])
def test_strict_promises_hold_at_every_level_in_the_order_of_time(schema, level):
    old = schema("message Book { string title = 1; int32 pages = 2; }")
    new = schema("message Book { string title = 1; }")
    kinds = ["NUMBER_NOT_RESERVED", "NAME_NOT_RESERVED"]
    assert [change.kind for change in refused_changes(new, [old], level=level, rules=Rules.STRICT)] == kinds
    assert refused_changes(old, [new], level=level, rules=Rules.STRICT) == []


def test_strict_forward_refuses_what_confluent_refuses_forward(one, grown):
    assert facts(refused_changes(grown, [one], level=Level.FORWARD, rules=Rules.STRICT)) == [
        ("MESSAGE_REMOVED", "#/Page", Direction.FORWARD, 0)
    ]


def test_the_levels_are_those_of_the_registry_by_name():
    assert {level.value for level in Level} == {
        "NONE",
        *(name + end for name in ("BACKWARD", "FORWARD", "FULL") for end in ("", "_TRANSITIVE")),
    }
    assert {level.value for level in TRANSITIVE} == {
        "BACKWARD_TRANSITIVE",
        "FORWARD_TRANSITIVE",
        "FULL_TRANSITIVE",
    }


def test_checking_lists_only_what_is_refused(one, grown):
    assert len(compare(one, grown)) == 2
    assert refused_changes(grown, [one], level=Level.BACKWARD_TRANSITIVE) == []
