"""Options that several commands have, as a dataclass for each group, and how typer gets to read them."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from typer import Option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Command = TypeVar("Command", bound="Callable[..., Any]")

AS_JSON: bool = Option(False, "--json", help="As JSON.")
DRY_RUN: bool = Option(False, "--dry-run", help="Show what would be done, and change nothing.")
YES: bool = Option(False, "--yes", "-y", help="Do not ask for confirmation.")


def with_options(command: Command) -> Command:
    """A command as typer can read it: each field of a parameter that is a dataclass becomes an option.

    The command itself gets the dataclass.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}

    @wraps(command)
    def expanded(**given: Any) -> Any:
        for name, kind in groups.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        return command(**given)

    parameters = [
        option
        for parameter in inspect.signature(command).parameters.values()
        for option in _options_of(parameter, hints[parameter.name])
    ]
    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return expanded  # type: ignore[return-value]  # it is called with options only


def _options_of(parameter: inspect.Parameter, hint: Any) -> Iterator[inspect.Parameter]:
    if not is_dataclass(hint):
        yield parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY)
        return
    hints = get_type_hints(hint, include_extras=True)
    signature = inspect.signature(hint)  # type: ignore[arg-type]  # a class, whose fields are its parameters
    for field in signature.parameters.values():
        yield field.replace(annotation=hints[field.name], kind=inspect.Parameter.KEYWORD_ONLY)
