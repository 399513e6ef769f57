"""auth-events deploy."""

from __future__ import annotations

import shutil
from pathlib import Path

from typer import Argument

from immersiverse.auth.events.cli.commands import CommandGroup
from immersiverse.auth.events.cli.output import VERDICT, CommandFailed

_PACKAGE = Path(__file__).resolve().parents[2]
_IN_A_CHECKOUT = _PACKAGE.parents[3] / "deploy"

deploy = CommandGroup("What operators install beside the services: dashboards and alerts.")


@deploy.add(
    "export",
    "Write the dashboards and alert rules to a folder.",
    "auth-events deploy export monitoring",
)
def export(folder: Path = Argument(..., metavar="DIR", help="Where to; made if it is not there.")) -> None:
    """Write the files of this version; nothing at all if one is there with other content."""
    shipped = _PACKAGE / "deploy"
    source = shipped if shipped.is_dir() else _IN_A_CHECKOUT
    files = sorted(path for path in source.rglob("*") if path.is_file())
    targets = {path: folder / path.relative_to(source) for path in files}
    try:
        changed = [to for path, to in targets.items() if to.exists() and to.read_bytes() != path.read_bytes()]
        if changed:
            names = ", ".join(map(str, changed))
            raise CommandFailed(f"nothing was written: {names} differ; move them away first", VERDICT)
        for path, to in targets.items():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
            print(to)
    except OSError as error:
        raise CommandFailed(f"cannot write to {folder}: {error.strerror}", VERDICT) from error
