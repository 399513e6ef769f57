"""Programs that must not pass a type checker: each line marked ``# refused``, and no other."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from checks.check import ROOT, TOOLS, CheckFailed
from checks.distribution import environment_with

PROGRAMS = ROOT / "tests" / "types"
_MARK = re.compile(r"# refused$")

Line = tuple[str, int]  # a file's name, and the line's number


def refused_programs(scratch: Path) -> None:
    """Check them as a user does: against the installed wheel, with mypy --strict and pyright's strict mode.

    Raises:
        CheckFailed: with the lines that pass, and those that are refused without a mark.
    """
    wanted = {
        (program.name, number)
        for program in PROGRAMS.glob("*.py")
        for number, line in enumerate(program.read_text().splitlines(), 1)
        if _MARK.search(line)
    }
    with environment_with(scratch, "testing") as python:
        for name, found in (("mypy", _by_mypy(scratch, python)), ("pyright", _by_pyright(scratch, python))):
            passed, unmarked = sorted(wanted - found), sorted(found - wanted)
            if passed or unmarked or not wanted:
                raise CheckFailed(f"{name} lets pass {passed}, and refuses without a mark {unmarked}")


def _by_mypy(scratch: Path, python: Path) -> set[Line]:
    options = ("--strict", "--python-executable", python, "--output", "json", "--config-file=")
    output = _output(scratch, TOOLS / "mypy", *options, PROGRAMS)
    errors = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {(Path(each["file"]).name, each["line"]) for each in errors if each["severity"] == "error"}


def _by_pyright(scratch: Path, python: Path) -> set[Line]:
    settings = {
        "typeCheckingMode": "strict",
        "include": [str(PROGRAMS)],
        "reportUnusedExpression": False,
        "reportUnusedFunction": False,
    }
    project = scratch / "refused.json"
    project.write_text(json.dumps(settings))
    options = ("--outputjson", "--level", "error", "--project", project, "--pythonpath", python)
    found = json.loads(_output(scratch, TOOLS / "basedpyright", *options))["generalDiagnostics"]
    return {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in found}


def _output(scratch: Path, *command: str | Path) -> str:
    """What a checker prints, outside of the tree and its settings; it ends with 1, since it finds errors."""
    done = subprocess.run(
        [str(each) for each in command], cwd=scratch, check=False, capture_output=True, text=True
    )
    if done.returncode != 1:
        raise CheckFailed(
            f"{Path(str(command[0])).name} ended with {done.returncode}: {done.stdout}{done.stderr}"
        )
    return done.stdout
