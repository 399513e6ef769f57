"""Checks of what is published: the built wheel, in environments that know nothing of the tree."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from checks.check import ROOT, CheckFailed, execute
from checks.requirements import declared, lowest_bounds

PACKAGE = "immersiverse/auth/events"
INSIDE = (
    f"{PACKAGE}/deploy/grafana/auth-events.json",
    f"{PACKAGE}/deploy/prometheus/auth-events.rules.yaml",
    f"{PACKAGE}/py.typed",
    f"{PACKAGE}/schemas/events.proto.txt",
    f"{PACKAGE}/schemas/options.proto.txt",
    f"{PACKAGE}/v1/events.proto",
    f"{PACKAGE}/v1/events_pb2.py",
    f"{PACKAGE}/v1/events_pb2.pyi",
    f"{PACKAGE}/v1/options.proto",
)
OUTSIDE = ("immersiverse/__init__.py", "immersiverse/auth/__init__.py")  # other packages share these names
IMPORTED_FROM_WHEEL = """
import sys, immersiverse.auth.events as events
if not events.__file__.startswith(sys.prefix):
    sys.exit(f"imported from {events.__file__}")
"""

_BUILDING = Lock()  # checks run in threads, and the first that needs the wheel builds it


def wheel(scratch: Path) -> None:
    """Look inside the built wheel, import it bare, run its demo; `lowest` and `protobuf` test it."""
    built = _built_wheel(scratch)
    _look_inside(built)
    with _environment(scratch) as python:
        _install(python, built)
        execute(python, "-P", "-c", IMPORTED_FROM_WHEEL)
        _install(python, f"{built}[cli]")
        execute(python.parent / "auth-events", "--help")
        execute(python.parent / "auth-events", "demo", "--events", "30", "--json")


def kit(scratch: Path) -> None:
    """Run a user's tests with the wheel's testing kit, beside the plugins that it must get on with."""
    project = scratch / "kit_project"
    shutil.copytree(ROOT / "tests" / "component" / "testing" / "kit_project", project)
    options = ("-q", "-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")
    with _environment(scratch) as python:
        _install(python, f"{_built_wheel(scratch)}[testing]", "anyio", "pytest-asyncio>=1.2", "pytest-xdist")
        execute(python, "-P", "-c", IMPORTED_FROM_WHEEL)
        for workers in ("0", "2"):
            output = execute(python, "-P", "-m", "pytest", *options, "-n", workers, project)
            if "skipped" in output:
                raise CheckFailed(output)


def new_projects(scratch: Path) -> None:
    """Write, install and test the projects that services begin with, as the wheel's command writes them."""
    folder = scratch / "new"
    folder.mkdir()
    with environment_with(scratch, "cli", "testing") as python:
        for kind in ("consumer", "producer"):
            name = f"a-{kind}"
            execute(python.parent / "auth-events", "new", kind, name, folder=folder)
            _install(python, folder / name)
            options = ("-q", "-p", "no:cacheprovider", "-o", "pythonpath=")
            execute(python, "-P", "-m", "pytest", *options, folder=folder / name)
            execute("mypy", "--python-executable", python, "src", "tests", folder=folder / name)


def lowest(scratch: Path) -> None:
    """Run unit and golden tests on the wheel, with the oldest version of every dependency allowed."""
    bounds = scratch / "lowest.txt"
    bounds.write_text("\n".join(lowest_bounds()))
    with _environment(scratch) as python:
        _install(python, f"{_built_wheel(scratch)}[all]", "--group", "test", "--constraint", bounds)
        _test(python)


def newest_protobuf(scratch: Path) -> None:
    """Run unit and golden tests on the wheel, with the newest protobuf allowed."""
    override = scratch / "protobuf.txt"
    override.write_text(
        declared("protobuf")
    )  # a tool of the tests asks for an older one, and works with this
    with _environment(scratch) as python:
        _install(python, f"{_built_wheel(scratch)}[all]", "--group", "test", "--override", override)
        _test(python)


def _built_wheel(scratch: Path) -> Path:
    folder = scratch / "dist"
    with _BUILDING:
        if not folder.exists():
            execute("uv", "build", "--quiet", "--out-dir", folder)
    return next(folder.glob("*.whl"))


def _look_inside(built: Path) -> None:
    names = set(zipfile.ZipFile(built).namelist())
    missing = [name for name in INSIDE if name not in names]
    foreign = [name for name in OUTSIDE if name in names]
    if missing or foreign:
        raise CheckFailed(f"{built.name} lacks {missing} and should not have {foreign}")
    if links := re.findall(r"\]\((?!https?://|#)[^)]+\)", _readme(built)):
        raise CheckFailed(f"the README leads nowhere on an index: {links}")


def _readme(built: Path) -> str:
    with zipfile.ZipFile(built) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(metadata).decode().partition("\n\n")[2]


@contextmanager
def _environment(scratch: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        execute("uv", "venv", "--quiet", "--python", sys.executable, folder)
        yield Path(folder) / "bin" / "python"


@contextmanager
def environment_with(scratch: Path, *extras: str) -> Iterator[Path]:
    """The Python of an environment that has the built wheel, with extras."""
    with _environment(scratch) as python:
        _install(python, f"{_built_wheel(scratch)}[{','.join(extras)}]")
        yield python


def _install(python: Path, *what: str | Path) -> None:
    execute("uv", "pip", "install", "--quiet", "--python", python, *what)


def _test(python: Path) -> None:
    execute(python, "-P", "-c", IMPORTED_FROM_WHEEL)
    execute(python.parent / "auth-events", "--help")
    options = ("-q", "-p", "no:cacheprovider", "--hypothesis-profile", "brief")
    execute(python, "-P", "-m", "pytest", *options, ROOT / "tests" / "unit", ROOT / "tests" / "golden")
