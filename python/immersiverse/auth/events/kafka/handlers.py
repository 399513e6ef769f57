"""Which function handles which event."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError

if TYPE_CHECKING:
    from google.protobuf.message import Message

H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that handles events.

    Attributes:
        call: the function.
        is_async: whether it must be awaited.
        wants_context: whether it takes the context last.
    """

    call: Callable[..., Awaitable[None] | None]
    is_async: bool
    wants_context: bool


class Handlers:
    """The functions of one subscriber, by the envelope's arm.

    Attributes:
        by_arm: what handles an event of the contract.
        unknown: what handles events of types that the contract does not know.
    """

    def __init__(self) -> None:
        self.by_arm: dict[str, Handler] = {}
        self.unknown: Handler | None = None
        self._any: Handler | None = None

    def on(self, *payloads: type[Message]) -> Callable[[H], H]:
        """Registers a function ``(event, payload[, context])`` for payload classes.

        Raises:
            ConfigurationError: if a class is no payload of the contract, or has a handler already.
        """
        if not payloads:
            raise ConfigurationError("on", "name the payload classes to handle, such as on(LoginFailed)")

        def register(function: H) -> H:
            for payload in payloads:
                event_type = catalog.BY_MESSAGE.get(payload)
                if event_type is None:
                    raise ConfigurationError("on", f"{payload!r} is not a payload of the contract")
                if self.by_arm.get(event_type.arm) not in (None, self._any):
                    raise ConfigurationError("on", f"{event_type.name} has a handler already")
                self.by_arm[event_type.arm] = _handler(function, takes_payload=True)
            return function

        return register

    def on_any(self, function: H) -> H:
        """Registers a function ``(event, payload[, context])`` for every type that has none of its own."""
        self._any = _handler(function, takes_payload=True)
        for event_type in catalog.EVENT_TYPES.values():
            self.by_arm.setdefault(event_type.arm, self._any)
        return function

    def on_unknown(self, function: H) -> H:
        """Registers a function ``(unknown_event[, context])`` for types that the contract does not know."""
        self.unknown = _handler(function, takes_payload=False)
        return function


def _handler(function: Callable[..., Any], *, takes_payload: bool) -> Handler:
    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    plain = 2 if takes_payload else 1
    if len(parameters) not in (plain, plain + 1):
        wanted = "event, payload" if takes_payload else "event"
        name = getattr(function, "__name__", repr(function))
        raise ConfigurationError(name, f"a handler takes ({wanted}) or ({wanted}, context)")
    call = function if inspect.isroutine(function) else function.__call__
    is_async = inspect.iscoroutinefunction(call)
    return Handler(function, is_async, len(parameters) == plain + 1)
