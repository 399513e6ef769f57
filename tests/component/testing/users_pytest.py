"""A user's project and its pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent / "kit_project"


def run_pytest(*arguments: str, folder: Path = PROJECT, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as in a user's shell."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
