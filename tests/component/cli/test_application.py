"""How commands are found, explained and ended."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from component.cli.terminal import COMMAND, end, run, running
from immersiverse.auth.events import __version__


def test_help_of_every_command_loads_nothing_that_only_commands_need():
    program = (
        "import sys; from immersiverse.auth.events.cli import main\n"
        "from immersiverse.auth.events.cli.commands import COMMANDS\n"
        "for command in [[], *([name] for name in COMMANDS), ['dlq', 'show'], ['schema', 'check']]:\n"
        "    main([*command, '--help'])\n"
        "heavy = {'confluent_kafka', 'google.protobuf', 'httpx', 'orjson', 'fastavro', 'rich', 'pydantic',"
        "'immersiverse.auth.events.catalog'} & set(sys.modules)\n"
        "print('loaded:', sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.endswith("loaded: []\n")


def test_without_its_extra_the_command_says_what_to_install():
    program = (
        "import sys; sys.modules['typer'] = None\n"
        "from immersiverse.auth.events.cli import main; sys.exit(main(['--help']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "auth-events: the command line needs: pip install 'immersiverse-auth-events[cli]'\n"
    )


def test_a_registry_that_cannot_be_reached_is_one_line_and_exit_code_3(auth_events):
    quick = ("--registry-config", "max.retries=0")
    result = auth_events("schema", "list", "--registry", "http://127.0.0.1:9", *quick)
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("auth-events: the schema registry cannot be reached: ")
    assert result.err.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_error():
    producer = subprocess.Popen(
        [*COMMAND, "simulate", "--events", "1000000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with producer:
        producer.stdout.readline()
        producer.stdout.close()
        assert producer.stderr.read() == b""
    assert producer.returncode == 141


def test_an_interrupted_command_ends_with_130_and_no_traceback():
    with running("simulate", "--events", "1000000000") as process:
        process.stdout.readline()
        result = end(process, signal.SIGINT)
    assert result.code == 130
    assert result.err == ""


def test_a_librarys_warnings_are_not_the_users_business(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import warnings; warnings.simplefilter('always')")
    (tmp_path / "orjson.py").write_text("import warnings; warnings.warn('old'); raise SystemExit(5)")
    quiet = run("simulate", PYTHONPATH=f"{tmp_path}:{':'.join(sys.path)}")
    asked = run("simulate", PYTHONPATH=f"{tmp_path}:{':'.join(sys.path)}", PYTHONWARNINGS="always")
    assert (quiet.code, quiet.err) == (5, "")
    assert "old" in asked.err


def test_characters_that_an_encoding_lacks_are_replaced():
    result = run("catalog", "LoginFailed", PYTHONIOENCODING="ascii")
    assert (result.code, result.err) == (0, "")
    assert "LoginFailed" in result.out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("auth-events cata", ["catalog"]),
        ("auth-events catalog LoginF", ["LoginFailed"]),
        ("auth-events encode --format a", ["avro"]),
    ],
)
def test_a_shell_can_complete_what_is_typed(typed, offered):
    words = typed.split()
    result = run(_AUTH_EVENTS_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1))
    assert result.out.split() == offered


def test_the_package_runs_as_a_module():
    assert run("--version").out == f"auth-events {__version__}\n"
