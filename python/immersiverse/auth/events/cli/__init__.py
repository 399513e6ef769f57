"""The command line, `auth-events`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXTRA = frozenset({"rich", "typer", "yaml"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 done, 1 refused, 2 wrong use, 3 no connection, 130 interrupted.

    Its arguments are those of this process unless given.
    """
    try:
        from immersiverse.auth.events.cli.app import run

        return run(sys.argv[1:] if arguments is None else arguments)
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        line = "the command line needs: pip install 'immersiverse-auth-events[cli]'"
        print(f"auth-events: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
