"""scripts/record: record a release under tests/golden, once and forever.

What is recorded is what is committed: it refuses a tree with changes. A release that is recorded is never
recorded again, and its digests prove that it was not edited.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from golden.corpus.recording import ROOT, NotRecorded, record
from golden.corpus.release import GOLDEN, Release
from stack.progress import say

RECORDED_FROM = ("proto", "python", "pyproject.toml")


def main(arguments: list[str] | None = None) -> int:
    """Record, and say what; 1 if that cannot be."""
    options = _parser().parse_args(arguments)
    if options.to is None and (changed := _changes()):
        say(f"record: commit these first, a release is what is committed:\n{changed}")
        return 1
    try:
        release = Release(record(options.version, options.to or GOLDEN))
    except NotRecorded as error:
        say(f"record: {error}")
        return 1
    say(f"{release.folder}: {len(list(release.cases()))} events, {release.wheel.name}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/record", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("version", metavar="VERSION", help="the version, which version.py must say, too")
    parser.add_argument(
        "--to", metavar="FOLDER", type=Path, help="record below this folder, from any tree: to try it out"
    )
    return parser


def _changes() -> str:
    asked = ["git", "status", "--porcelain", "--", *RECORDED_FROM]
    return subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.rstrip()
