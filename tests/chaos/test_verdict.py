"""The verdict finds each broken promise: a run that passes has been checked by what finds faults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.account import Account, about_to_publish, read_account
from chaos.effects import Effect
from chaos.journal import Journal, read_journal
from chaos.story import TOPICS, Chapter
from chaos.subscribing import WITH_INBOX, WITHOUT_INBOX
from chaos.topic_log import dead_letter_for
from chaos.verdict import Facts, broken

LOGIN = TOPICS[0]
POISON = (LOGIN, 0, 2)
ONE, TWO = Chapter("ann", 1, "one", 1), Chapter("ann", 2, "two", 2)
EFFECTS = [Effect("one", LOGIN, "ann", 1), Effect("two", LOGIN, "ann", 2)]


@pytest.fixture
def facts():
    return Facts(
        account=Account({"one": ONE, "two": TWO}, {"one", "two"}),
        poison={"poison-1"},
        log={(LOGIN, 0, 0): "one", (LOGIN, 0, 1): "two", POISON: "poison-1"},
        dead_letters=[dead_letter_for(group, POISON, "poison-1") for group in (WITH_INBOX, WITHOUT_INBOX)],
        applied=EFFECTS,
        handled=[*EFFECTS, *EFFECTS],
        early=[],
        newcomers=[],
    )


def test_a_run_that_kept_every_promise_is_found_unbroken(facts):
    assert broken(facts) == []


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        ({"log": {(LOGIN, 0, 0): "one", POISON: "poison-1"}}, "acknowledged, but not in the log"),
        ({"applied": EFFECTS[:1]}, "lost with the inbox"),
        ({"handled": EFFECTS[1:]}, "lost without an inbox"),
        ({"applied": [*EFFECTS, EFFECTS[1]]}, "applied twice with the inbox"),
        ({"applied": EFFECTS[::-1]}, "out of order with the inbox"),
        ({"handled": EFFECTS[::-1]}, "first handled out of order without an inbox"),
        (
            {"log": {(LOGIN, 0, 0): "two", (LOGIN, 0, 1): "one", POISON: "poison-1"}},
            "in the log out of order",
        ),
        ({"handled": [*EFFECTS, Effect("three", LOGIN, "ann", 3)]}, "handled, but never published"),
        ({"dead_letters": [dead_letter_for(WITH_INBOX, POISON, "poison-1")]}, "poison without a dead letter"),
        ({"poison": {"poison-1", "poison-2"}}, "poison without a dead letter"),
        ({"newcomers": ["three"]}, "acknowledged to a new publisher, but not in the log"),
        ({"early": ["with-inbox: somewhere"]}, "committed, but not handled"),
    ],
)
def test_a_broken_promise_is_named(facts, change, promise):
    assert promise in "\n".join(broken(replace(facts, **change)))


def test_an_event_in_the_log_that_was_never_acknowledged_must_have_its_effect_too(facts):
    unknown = replace(facts, account=Account({"one": ONE, "two": TWO}, {"one"}), applied=EFFECTS[:1])
    assert any(line.startswith("1 lost with the inbox: two") for line in broken(unknown))


def test_a_readable_event_among_the_dead_letters_is_found(facts):
    dead_letters = [*facts.dead_letters, dead_letter_for(WITH_INBOX, (LOGIN, 0, 0), "bytes")]
    assert any("readable" in line for line in broken(replace(facts, dead_letters=dead_letters)))


def test_a_publisher_repeats_the_unknown_end_of_each_stream_in_order_and_nothing_before_it():
    chapters = [Chapter("ann", version, f"ann-{version}", version) for version in (1, 2, 4, 5, 7)]
    account = Account({chapter.event_id: chapter for chapter in chapters}, {"ann-1", "ann-4"})
    assert [chapter.version for chapter in account.to_repeat()] == [5, 7]


def test_an_account_survives_the_journal_of_a_publisher_that_was_killed_in_the_middle_of_a_line(tmp_path):
    path = tmp_path / "journal"
    journal = Journal(path)
    about_to_publish(journal, ONE)
    with path.open("a") as torn:
        torn.write("P two an")
    about_to_publish(Journal(path), TWO)
    Journal(path).write("A", "one")
    account = read_account(path)
    assert list(account.chapters.values()) == [ONE, TWO]
    assert account.acknowledged == {"one"}


def test_a_line_that_is_not_whole_yet_is_not_read(tmp_path):
    path = tmp_path / "journal"
    path.write_text("whole line\nhalf li")
    assert list(read_journal(path)) == [["whole", "line"]]
