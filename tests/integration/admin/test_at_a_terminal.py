"""Commands at a terminal, with questions answered, on a real Kafka."""

from __future__ import annotations

import re
import subprocess

import pytest

from component.cli.terminal import COMMAND
from component.cli.typing_terminal import END_OF_INPUT, INTERRUPT, typing
from immersiverse.auth.events import catalog
from integration.admin.cluster_tools import made, member, publish, put_dead_letters, read

EVENT = (
    '{"eventType":"UserCreated","timestamp":"2025-07-01T09:00:00Z","payload":{"userId":"user-1",'
    '"username":"alice","email":"alice@example.com","createdAt":"2025-07-01T09:00:00Z"}}'
)
COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|4[0-7]|9[0-7])m")
NOES = [("n\n", 1), ("\n", 1), (INTERRUPT, 130), (END_OF_INPUT, 130)]  # and how they end a command


@pytest.fixture
def read_group(kafka, topic, group):
    """A group that has read five messages and stopped."""
    publish(kafka.bootstrap, topic, [b"x"] * 5, partition=0)
    with member(kafka.bootstrap, group, topic):
        pass
    return group


@pytest.fixture
def lag_of(auth_events, read_group):
    """How far the group is behind."""
    return lambda: sum(row["lag"] for row in auth_events("lag", "-g", read_group, "--json").document)


def test_watching_redraws_in_place_until_ctrl_c(kafka, topic, read_group):
    asked = ("lag", "-b", kafka.bootstrap, "-g", read_group, "--watch", "--interval", "0.3")
    with typing(*asked, columns=60, NO_COLOR="1") as terminal:
        terminal.wait_for("Lag.* 5 +5 +0 ")
        publish(kafka.bootstrap, topic, [b"late"] * 7, partition=0)
        terminal.wait_for(" 5 +12 +7 ")
        assert max(map(len, terminal.text.splitlines())) <= 60
        terminal.interrupt()
        assert terminal.code() == 130
    assert "\x1b[1A\x1b[2K" in terminal.drawn  # up a line, and clear it
    assert terminal.drawn.rstrip().endswith("\x1b[?25h")  # the cursor is back
    assert not COLOUR.search(terminal.drawn)
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize("no", NOES)
def test_a_replay_that_is_not_agreed_to_changes_nothing(kafka, topic, read_group, lag_of, no):
    answer, code = no
    asked = ("replay", "-b", kafka.bootstrap, "-g", read_group, "-t", topic, "--to-beginning")
    with typing(*asked) as terminal:
        terminal.wait_for(rf"5 +0 +5.*Set the offsets of {read_group}\? \[y/N\]:")
        terminal.type(answer)
        terminal.wait_for("nothing was changed")
        assert terminal.code() == code
    assert lag_of() == 0


def test_a_replay_that_is_agreed_to_is_carried_out(kafka, topic, read_group, lag_of):
    asked = ("replay", "-b", kafka.bootstrap, "-g", read_group, "-t", topic, "--to-beginning")
    with typing(*asked, columns=60) as terminal:
        terminal.wait_for(r"\[y/N\]:")
        terminal.type("y\n")
        terminal.wait_for("start its members again")
        assert terminal.code() == 0
    assert lag_of() == 5
    with typing(*asked) as terminal:
        terminal.wait_for("already has these offsets")
        assert terminal.code() == 0


@pytest.mark.parametrize("no", [NOES[0], NOES[2]])
def test_a_redrive_that_is_not_agreed_to_sends_nothing(kafka, topic, dead_letters, no):
    answer, code = no
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["user-1", "user-2"])
    with typing(
        "dlq", "redrive", "-b", kafka.bootstrap, "--dlq-topic", dead_letters, "--allow-topic", topic
    ) as terminal:
        terminal.wait_for(r"2 would be sent back")
        terminal.wait_for(rf"Send them back to {topic} \(2\), for analytics\? \[y/N\]:")
        terminal.type(answer)
        terminal.wait_for("nothing was changed")
        assert terminal.code() == code
    assert read(kafka.bootstrap, topic, 1.0) == []


def test_a_redrive_that_is_agreed_to_is_carried_out_and_has_nothing_left_to_ask(kafka, topic, dead_letters):
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["user-1", "user-2"])
    asked = ("dlq", "redrive", "-b", kafka.bootstrap, "--dlq-topic", dead_letters, "--allow-topic", topic)
    with typing(*asked, NO_COLOR="1") as terminal:
        terminal.wait_for(r"\[y/N\]:")
        terminal.type("y\n")
        terminal.wait_for("dead letters: 2 sent back")
        assert terminal.code() == 0
    assert "messages of the dead letter topic read" in terminal.text
    assert not COLOUR.search(terminal.drawn)
    assert len(read(kafka.bootstrap, topic, 1.0)) == 2
    with typing(*asked) as terminal:
        terminal.wait_for("0 would be sent back, 2 redriven before")
        assert terminal.code() == 0


def test_yes_skips_the_question_of_a_redrive(kafka, topic, dead_letters):
    put_dead_letters(kafka.bootstrap, dead_letters, topic, ["user-1"])
    with typing(
        "dlq", "redrive", "-b", kafka.bootstrap, "--dlq-topic", dead_letters, "--allow-topic", topic, "--yes"
    ) as terminal:
        terminal.wait_for("dead letters: 1 sent back")
        assert terminal.code() == 0


def test_publishing_shows_how_far_it_is_beside_the_results(kafka, tmp_path):
    made(kafka.bootstrap, catalog.TOPICS)
    file = tmp_path / "events.jsonl"
    file.write_text(f"{EVENT}\n" * 20)
    asked = ("publish", file, "-b", kafka.bootstrap, "--format", "json")
    with typing(*asked) as terminal:
        terminal.wait_for(r"\d+ published, \d+ a second")
        terminal.wait_for(r"published 20 events in .*auth\.events\.user 20")
        assert terminal.code() == 0
    with (tmp_path / "figures").open("wb") as figures, typing(*asked, "--json", to=figures.fileno()) as quiet:
        assert quiet.code() == 0
    assert quiet.text == ""
    assert '"published": 20' in (tmp_path / "figures").read_text()


def test_ctrl_c_ends_a_tail_silently(kafka, topic):
    publish(kafka.bootstrap, topic, [EVENT.encode()])
    with typing("tail", "-b", kafka.bootstrap, "-t", topic, "--from", "beginning") as terminal:
        terminal.wait_for("alice.*\n")
        terminal.interrupt()
        assert terminal.code() == 130
    assert terminal.text.splitlines()[1:] == ["^C"]


def test_a_tail_ends_when_its_reader_closes_the_pipe(kafka, topic):
    publish(kafka.bootstrap, topic, [EVENT.encode()])
    asked = ("tail", "-b", kafka.bootstrap, "-t", topic, "--from", "beginning")
    with subprocess.Popen([*COMMAND, *asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert b"alice" in process.stdout.readline()
        process.stdout.close()  # as `| head -1` does; no other event comes
        try:
            assert process.wait(20) == 141
        finally:
            process.kill()
        assert process.stderr.read() == b""
