"""Commands whose user is not believed say so in one line, with the exit code for a refusal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from commands import Result
from component.cli.terminal import run
from integration.security.guarded import Guarded, User
from integration.security.impostors import STRANGERS_BY_NAME, STRANGERS_TO_TLS, config_of
from integration.security.work import EVENT

ANOTHER_PASSWORD, _ = STRANGERS_BY_NAME
ANOTHER_AUTHORITY, _, NO_TLS = STRANGERS_TO_TLS
COMMANDS = {
    "lag": (),
    "tail": ("--no-follow",),
    "publish": ("--schema-id", "1"),
    "replay": ("--group", "g", "--topic", "auth.events.user", "--to-beginning", "--yes"),
    "dlq": ("redrive", "--yes"),
}
CASES = [
    *((ANOTHER_PASSWORD, command, 1, "invalid credentials") for command in COMMANDS),
    (ANOTHER_AUTHORITY, "lag", 1, "certificate verify failed"),
    (NO_TLS, "lag", 3, "Kafka does not answer"),
]


@pytest.fixture(scope="module")
def results(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Result], User]:
    """How each case ends; all at once, since each waits for long in vain."""
    folder, user = tmp_path_factory.mktemp("commands"), guarded.user()

    def carry_out(number: int) -> Result:
        impostor, command, *_ = CASES[number]
        file = folder / f"{number}.properties"
        file.write_text(_lines(config_of(impostor, user, folder)))
        return run(command, *COMMANDS[command], "--config-file", file, stdin=EVENT)

    with ThreadPoolExecutor(len(CASES)) as threads:
        return list(threads.map(carry_out, range(len(CASES)))), user


def _lines(config: dict[str, Any]) -> str:
    return "".join(f"{key}={value}\n" for key, value in config.items())


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[f"{i.name}: {command}" for i, command, *_ in CASES]
)
def test_a_command_of_a_stranger_ends_with_one_line_that_says_why(
    results: tuple[list[Result], User], number: int
) -> None:
    (result, user), (_, _, code, says) = (results[0][number], results[1]), CASES[number]
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("auth-events: ")
    assert result.err.count("\n") == 1
    assert says in result.err
    assert user.password not in result.err


def test_a_command_takes_credentials_from_a_file_of_yaml_as_well(
    user: User, topic: str, tmp_path: Path
) -> None:
    file = tmp_path / "client.yaml"
    file.write_text("auth-consumer:\n" + "".join(f"  {key}: {value}\n" for key, value in user.config.items()))
    user.may("DESCRIBE", topic)
    result = run("tail", "--no-follow", "--topic", topic, "--config-file", file)
    assert (result.code, result.err) == (0, "")
