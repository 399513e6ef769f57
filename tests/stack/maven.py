"""Maven, the one tool that is asked of the machine beside Python."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from stack.error import StackError

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
MISSING = (
    "Maven is missing: it downloads the real Kafka and registry that the integration tests run against. "
    "Install it with: apt-get install maven (Debian, Ubuntu) or: brew install maven (macOS)"
)


def run_goal(goal: str, *options: str, cwd: Path) -> None:
    """Run one goal of Maven's dependency plugin in `cwd`.

    Raises:
        StackError: Maven is missing or failed; its last lines are in the message.
    """
    maven = shutil.which("mvn")
    if maven is None:
        raise StackError(MISSING)
    command = [maven, "--batch-mode", "--no-transfer-progress", f"{PLUGIN}:{goal}", *options]
    done = subprocess.run(
        command, cwd=cwd, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")]
        last = "\n".join((errors or done.stdout.splitlines())[:15])
        raise StackError(f"Maven failed at {goal}:\n{last}\n{done.stderr.strip()}")
