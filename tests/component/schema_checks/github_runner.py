"""Runs this project's workflows and its action as GitHub's runner does: as much of it as they use.

Source: GitHub's documentation of workflow syntax, of metadata syntax for composite actions, and of workflow
commands. What they do not use is an error here, so that what is run is all that there is.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_ANNOTATION = re.compile(r"^::(error|warning|notice)(?: ([^:]*))?::(.*)$", re.MULTILINE)
_KNOWN_KEYS = {"name", "uses", "with", "run", "shell", "working-directory", "env"}
_UNSET = ("GITHUB_", "GIT_", "RUNNER_")


@dataclass(frozen=True)
class Annotation:
    """What GitHub shows beside a line of a file.

    Attributes:
        file: the file, from the root of the repository.
        line: the line in it, from 1.
        title: its heading.
        message: its text.
    """

    file: str
    line: int
    title: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """How steps ended.

    Attributes:
        succeeded: whether all of them did; none is run after one that did not.
        output: all that they printed.
    """

    succeeded: bool
    output: str

    @property
    def annotations(self) -> list[Annotation]:
        """The errors that are shown beside the change."""
        return [_annotation(found) for found in _ANNOTATION.finditer(self.output) if found[1] == "error"]


@dataclass(frozen=True)
class Runner:
    """A machine with a workspace.

    Attributes:
        workspace: where the repository is checked out.
        github: the context of that name.
        stand_ins: what is done here for the actions of others, by their names without a version.
        variables: of the environment, beside those that GitHub sets.
    """

    workspace: Path
    github: Mapping[str, Any]
    stand_ins: Mapping[str, Callable[[Path], None]]
    variables: Mapping[str, str] = field(default_factory=dict)

    def job(self, workflow: Path, name: str) -> Outcome:
        """Run the steps of a job."""
        return self._steps(yaml.safe_load(workflow.read_text())["jobs"][name]["steps"], {})

    def action(self, folder: Path, given: Mapping[str, Any]) -> Outcome:
        """Run a composite action of the workspace."""
        action = yaml.safe_load((folder / "action.yml").read_text())
        assert action["runs"]["using"] == "composite"
        assert given.keys() <= action["inputs"].keys()
        inputs = {
            name: given[name] if name in given else self._filled(str(declared["default"]), {})
            for name, declared in action["inputs"].items()
        }
        assert all("shell" in step for step in action["runs"]["steps"])  # which only a workflow may leave out
        return self._steps(action["runs"]["steps"], {"inputs": inputs, "action_path": str(folder)})

    def _steps(self, steps: list[dict[str, Any]], context: Mapping[str, Any]) -> Outcome:
        said = ""
        for step in steps:
            assert step.keys() <= _KNOWN_KEYS
            outcome = self._uses(step) if "uses" in step else self._run(step, context)
            said += outcome.output
            if not outcome.succeeded:
                return Outcome(succeeded=False, output=said)
        return Outcome(succeeded=True, output=said)

    def _uses(self, step: dict[str, Any]) -> Outcome:
        if step["uses"].startswith("./"):
            return self.action((self.workspace / step["uses"]).resolve(), step.get("with", {}))
        self.stand_ins[step["uses"].partition("@")[0]](self.workspace)
        return Outcome(succeeded=True, output="")

    def _run(self, step: dict[str, Any], context: Mapping[str, Any]) -> Outcome:
        assert step.get("shell", "bash") == "bash"
        own = {name: self._filled(value, context) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self._filled(step["run"], context)],
            cwd=self.workspace / self._filled(step.get("working-directory", "."), context),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**self._environment(), **own},
        )
        return Outcome(done.returncode == 0, done.stdout)

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_UNSET)}
        return {
            **inherited,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_BASE_REF": self.github["base_ref"],
            "GITHUB_EVENT_NAME": self.github["event_name"],
            "GITHUB_REF": self.github["ref"],
            "GITHUB_WORKSPACE": str(self.workspace),
            **self.variables,
        }

    def _filled(self, text: str, context: Mapping[str, Any]) -> str:
        action = {"action_path": context["action_path"]} if "action_path" in context else {}
        names = {**context, "github": {**self.github, **action}}
        return _EXPRESSION.sub(lambda found: _evaluated(found[1], names), text)


def _evaluated(expression: str, names: Mapping[str, Any]) -> str:
    """The first of several names that is not empty; a name that no context has is an error."""
    values = [
        str(reduce(lambda at, key: at[key], name.split("."), names)) for name in expression.split(" || ")
    ]
    return next((value for value in values if value), "")


def _annotation(found: re.Match[str]) -> Annotation:
    pairs = (pair.partition("=") for pair in found[2].split(",")) if found[2] else ()
    properties = {name: _unescaped(value) for name, _, value in pairs}
    return Annotation(
        properties.get("file", ""),
        int(properties.get("line", 0)),
        properties.get("title", ""),
        _unescaped(found[3]),
    )


def _unescaped(text: str) -> str:
    for escaped, plain in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(escaped, plain)
    return text
