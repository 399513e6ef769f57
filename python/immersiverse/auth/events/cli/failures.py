"""Errors as the command line tells them: one line and an exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from immersiverse.auth.events.errors import AuthEventsError, ConfigurationError, MissingExtra

VERDICT: Final = 1
WRONG_USE: Final = 2
NO_CONNECTION: Final = 3
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141


@dataclass(frozen=True, slots=True)
class Failure:
    """What a user sees of an error.

    Attributes:
        line: what happened.
        exit_code: whose fault it is.
    """

    line: str
    exit_code: int


class CommandFailed(AuthEventsError):
    """A command cannot go on.

    Attributes:
        exit_code: whose fault it is.
    """

    def __init__(self, line: str, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(line)


def failure_of(error: AuthEventsError) -> Failure:
    """The line and the exit code of an error."""
    line = " ".join(str(error).split())
    if isinstance(error, CommandFailed):
        return Failure(line, error.exit_code)
    if isinstance(error, ConfigurationError | MissingExtra):
        return Failure(line, WRONG_USE)
    return Failure(line, NO_CONNECTION if error.retryable else VERDICT)
