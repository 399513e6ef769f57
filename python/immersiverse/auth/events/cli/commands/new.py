"""auth-events new: a small project that runs and is tested, to begin a service with."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from string import Template
from typing import Final

from typer import Argument

from immersiverse.auth.events.cli.commands import CommandGroup
from immersiverse.auth.events.cli.output import VERDICT, WRONG_USE, CommandFailed
from immersiverse.auth.events.version import __version__

_TEMPLATES: Final = Path(__file__).resolve().parents[1] / "templates"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NEXT: Final = """
Next:
  cd {name}
  pip install -e . --group dev     # pip 25.1 or newer; or: uv sync
  pytest
README.md says how to run it."""

new = CommandGroup("Begin a service: a project with code, tests, Dockerfile and compose file.")


@new.add("consumer", "Begin a service that consumes events.", "auth-events new consumer welcome-mails")
def consumer(name: str = Argument(..., metavar="NAME", help="Its name, such as welcome-mails.")) -> None:
    """Write the project to a folder of its name; nothing if there is such a folder."""
    _write("consumer", name)


@new.add("producer", "Begin a service that publishes events.", "auth-events new producer registration")
def producer(name: str = Argument(..., metavar="NAME", help="Its name, such as registration.")) -> None:
    """Write the project to a folder of its name; nothing if there is such a folder."""
    _write("producer", name)


def _write(kind: str, name: str) -> None:
    module = name.replace("-", "_")
    if not _NAME.fullmatch(name) or keyword.iskeyword(module) or module in sys.stdlib_module_names:
        raise CommandFailed(f"{name!r} is no name for a project: use one such as welcome-mails", WRONG_USE)
    folder = Path(name)
    if folder.exists():
        raise CommandFailed(f"nothing was written: {name} exists", VERDICT)
    values = {"name": name, "module": module, "version": __version__}
    try:
        for target, template in sorted(_files(kind, module).items()):
            to = folder / target
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(Template(template.read_text("utf-8")).substitute(values), "utf-8")
            print(to)
    except OSError as error:
        raise CommandFailed(f"cannot write to {folder}: {error.strerror}", VERDICT) from error
    print(_NEXT.format(name=name))


def _files(kind: str, module: str) -> dict[Path, Path]:
    """The templates of a kind of project, by where each goes in the project."""
    found: dict[Path, Path] = {}
    for source in (_TEMPLATES / "both", _TEMPLATES / kind):
        for template in source.rglob("*.template"):
            target = template.relative_to(source).with_suffix("")
            if target.parts[0] == "src":
                target = Path("src", module, *target.parts[1:])
            found[Path(".gitignore") if target.name == "gitignore" else target] = template
    return found
