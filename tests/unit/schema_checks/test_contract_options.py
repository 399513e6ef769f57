"""What the strict rules refuse in the contract's own options."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.v1 import options_pb2

OPTIONS = 'import "immersiverse/auth/events/v1/options.proto"; '
NAMES = "immersiverse.auth.events.v1"


def event(topic="loans", keys=("reader_id",), rules=""):
    """A file with one event of one field."""
    partition_key = ", ".join(f'"{key}"' for key in keys)
    return (
        OPTIONS
        + f"message Lent {{ option ({NAMES}.event) = {{ topic: '{topic}' partition_key: [{partition_key}] }};"
        + f" string reader_id = 1 [({NAMES}.field) = {{ {rules} }}]; }}"
    )


def test_an_event_keeps_its_topic(refused):
    assert refused(event(), event(topic="returns")) == {"EVENT_TOPIC_CHANGED #/Lent"}


def test_an_event_keeps_its_partition_keys_in_their_order(refused):
    old = event(keys=("reader_id", "card"))
    assert refused(old, event(keys=("card", "reader_id"))) == {"EVENT_PARTITION_KEY_CHANGED #/Lent"}
    assert refused(event(), old) == {"EVENT_PARTITION_KEY_CHANGED #/Lent"}


def test_an_event_stays_one_and_a_message_may_become_one(refused, verdict):
    plain = OPTIONS + "message Lent { string reader_id = 1; }"
    assert refused(event(), plain) == {"EVENT_REMOVED #/Lent"}
    assert verdict(plain, event(), rules=Rules.STRICT) == (True, {"EVENT_ADDED #/Lent"})


def test_a_field_keeps_whether_it_must_be_set(refused):
    assert refused(event(), event(rules="required: true")) == {"FIELD_BECAME_REQUIRED #/Lent/1"}
    assert refused(event(rules="required: true"), event()) == {"FIELD_NO_LONGER_REQUIRED #/Lent/1"}


def test_a_field_that_must_be_set_neither_comes_nor_goes(refused):
    old = OPTIONS + "message Lent { string book = 1; }"
    new = (
        OPTIONS + f"message Lent {{ string book = 1; string by = 2 [({NAMES}.field) = {{required: true}}]; }}"
    )
    gone = OPTIONS + 'message Lent { reserved 2; reserved "by"; string book = 1; }'
    assert refused(old, new) == {"FIELD_BECAME_REQUIRED #/Lent/2"}
    assert refused(new, gone) == {"FIELD_NO_LONGER_REQUIRED #/Lent/2"}


@pytest.mark.parametrize(
    ("loose", "tight"),
    [
        ("", "max_length: 10"),
        ("max_length: 20", "max_length: 10"),
        ("", "minimum: 0"),
        ("minimum: -5", "minimum: 0"),
        ("", "maximum: 0"),
        ("maximum: 5", "maximum: 0"),
    ],
)
def test_a_limit_may_be_loosened_but_not_tightened(refused, verdict, loose, tight):
    assert refused(event(rules=loose), event(rules=tight)) == {"FIELD_LIMIT_TIGHTENED #/Lent/1"}
    assert verdict(event(rules=tight), event(rules=loose), rules=Rules.STRICT) == (
        True,
        {"FIELD_LIMIT_LOOSENED #/Lent/1"},
    )


def test_limits_are_reported_as_they_are_written(schema):
    old, new = schema(event(rules="minimum: -5")), schema(event(rules="minimum: 3"))
    assert [(change.old, change.new) for change in compare(old, new, rules=Rules.STRICT)] == [
        ("minimum: -5", "minimum: 3")
    ]


def test_a_format_and_a_class_of_personal_data_stay(refused):
    assert refused(event(), event(rules="format: FORMAT_UUID")) == {"FIELD_FORMAT_CHANGED #/Lent/1"}
    for old, new in (("CONTACT", "NETWORK"), ("NETWORK", "CONTACT")):
        rules = [f"personal_data: PERSONAL_DATA_{kind}" for kind in (old, new)]
        found = refused(event(rules=rules[0]), event(rules=rules[1]))
        assert found == {"FIELD_PERSONAL_DATA_CHANGED #/Lent/1"}


def test_the_contracts_own_names_stay_once_they_are_set(refused):
    def contract(fields):
        return OPTIONS + f"option ({NAMES}.contract) = {{ {fields} }}; message Lent {{}}"

    old = contract('single_topic: "all" dead_letter_topic: "dead"')
    new = contract('single_topic: "every" dead_letter_topic: "dead"')
    assert refused(old, new) == {"CONTRACT_OPTION_CHANGED #/"}
    assert refused(contract(""), new) == set()


def test_confluents_rules_do_not_read_the_options(verdict):
    assert verdict(event(), event(topic="returns", rules="required: true")) == (True, set())


def test_a_value_of_a_newer_contract_is_reported_by_its_number(schema):
    old, new = schema(event()), schema(event(rules="format: FORMAT_UUID"))
    rules = new.root.message_type[0].field[0].options.Extensions[options_pb2.field]
    rules.format = 99
    (change,) = compare(old, new, rules=Rules.STRICT)
    assert (change.kind, change.old, change.new) == ("FIELD_FORMAT_CHANGED", "FORMAT_UNSPECIFIED", "99")
