"""How commands are found, explained and ended."""

from __future__ import annotations

import sys

import pytest
from typer.main import get_command

from immersiverse.auth.events import __version__
from immersiverse.auth.events.cli import main
from immersiverse.auth.events.cli.app import app
from immersiverse.auth.events.cli.commands import COMMANDS as TABLE

COMMANDS = [
    *("catalog", "simulate", "encode", "decode", "dev", "demo", "new consumer", "new producer"),
    *(
        "publish",
        "tail",
        "lag",
        "replay",
        "topics plan",
        "topics apply",
        "topics check",
        "topics advise",
        "dlq list",
        "dlq show",
        "dlq redrive",
        "inbox forget",
        "inbox prune",
        "deploy export",
    ),
    *("outbox ddl", "outbox relay", "outbox status", "outbox maintain"),
    *("outbox set-aside list", "outbox set-aside retry", "outbox set-aside drop"),
    *("schema register", "schema list", "schema show", "schema check", "schema diff", "registry serve"),
]


def test_the_version_is_that_of_the_package(auth_events):
    assert auth_events("--version").out == f"auth-events {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_an_example(auth_events, command):
    result = auth_events(*command.split(), "--help")
    assert result.code == 0
    assert f"Example: auth-events {command}" in result.out or f"| auth-events {command}" in result.out


@pytest.mark.parametrize(
    "group",
    [
        [],
        *([name] for name in ("schema", "registry", "topics", "dlq", "inbox", "deploy", "new", "outbox")),
        ["outbox", "set-aside"],
    ],
    ids=" ".join,
)
def test_without_a_command_the_help_is_shown(auth_events, group):
    result = auth_events(*group)
    assert (result.code, result.err) == (0, "")
    assert result.out == auth_events(*group, "--help").out
    assert result.out.startswith("Usage: auth-events")


def names_of(command, name):
    """The commands of a group, or its own name if it is none."""
    commands = getattr(command, "commands", None)
    if not commands:
        return {name}
    return {found for each, inner in commands.items() for found in names_of(inner, f"{name} {each}")}


def test_no_command_is_missing_from_these_tests():
    names = set()
    for name in TABLE:
        names |= names_of(get_command(app).get_command(None, name), name)
    assert names == set(COMMANDS)


@pytest.mark.parametrize("typo", ["tial", "catalogue"])
def test_a_typo_gets_a_suggestion(auth_events, typo):
    assert "Did you mean" in auth_events(typo).err


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["simulate", "--events", "many"],
        ["simulate", "--events", "-1"],
        ["simulate", "--start", "yesterday"],
        ["encode", "--format", "xml"],
        ["encode", "--unknown"],
        ["encode"],
        ["schema", "list"],
        ["schema", "list", "--registry", "localhost:8081"],
        ["schema", "list", "--registry", "http://127.0.0.1:9", "--registry-config", "timeout"],
        ["schema", "list", "--registry", "http://127.0.0.1:9", "--registry-config", "timeout=long"],
        ["schema", "list", "--registry", "http://127.0.0.1:9", "--registry-config", "no.such.setting=1"],
        ["schema", "show", "--format", "all"],
        ["encode", "no-such-file", "--format", "json"],
        ["decode", "."],
        ["catalog", "LoginFail"],
        ["registry", "serve", "--port", "65536"],
        ["demo", "--events", "0"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_one_line_and_exit_code_2(auth_events, arguments):
    result = auth_events(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("auth-events: ")
    assert result.err.count("\n") == 1


def test_arguments_are_those_of_the_process_unless_given(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["auth-events", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("auth-events ")
