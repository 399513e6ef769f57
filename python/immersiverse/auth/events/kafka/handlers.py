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

_NAME_THEM = "name the payload classes to handle, such as on(LoginFailed)"

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
    """The functions of one subscriber, by the envelope's payload field.

    Attributes:
        by_payload_field: what handles an event of the contract.
        unknown: what handles events of types that the contract does not know.
    """

    def __init__(self) -> None:
        self.by_payload_field: dict[str, Handler] = {}
        self.unknown: Handler | None = None
        self._any: Handler | None = None

    @property
    def all(self) -> tuple[Handler, ...]:
        """Every function that may be called."""
        return (*self.by_payload_field.values(), *((self.unknown,) if self.unknown else ()))

    def on(self, *payloads: type[Message]) -> Callable[[H], H]:
        """Registers a function ``(event, payload[, context])`` for payload classes.

        Raises:
            ConfigurationError: if a class is no payload of the contract, or has a handler already.
        """
        if not payloads:
            raise ConfigurationError("on", _NAME_THEM)
        for payload in payloads:
            _require_payload(payload)

        def register(function: H) -> H:
            payload_fields = [self._free_payload_field(payload) for payload in payloads]
            self.by_payload_field.update(
                dict.fromkeys(payload_fields, _handler(function, takes_payload=True))
            )
            return function

        return register

    def on_any(self, function: H) -> H:
        """Registers a function ``(event, payload[, context])`` for every type that has none of its own.

        Raises:
            ConfigurationError: if there is one already.
        """
        if self._any is not None:
            raise ConfigurationError("on_any", "there is a handler for every event already")
        self._any = _handler(function, takes_payload=True)
        for event_type in catalog.EVENT_TYPES.values():
            self.by_payload_field.setdefault(event_type.payload_field, self._any)
        return function

    def on_unknown(self, function: H) -> H:
        """Registers a function ``(unknown_event[, context])`` for types that the contract does not know.

        Raises:
            ConfigurationError: if there is one already.
        """
        if self.unknown is not None:
            raise ConfigurationError("on_unknown", "there is a handler for unknown events already")
        self.unknown = _handler(function, takes_payload=False)
        return function

    def _free_payload_field(self, payload: type[Message]) -> str:
        event_type = catalog.BY_MESSAGE[payload]
        if self.by_payload_field.get(event_type.payload_field) not in (None, self._any):
            raise ConfigurationError("on", f"{event_type.name} has a handler already")
        return event_type.payload_field


def _require_payload(payload: object) -> None:
    if payload not in catalog.BY_MESSAGE:
        raise ConfigurationError("on", f"{payload!r} is not a payload of the contract: {_NAME_THEM}")


def _handler(function: Callable[..., Any], *, takes_payload: bool) -> Handler:
    plain = 2 if takes_payload else 1
    count = _positional_parameters(function)
    name = getattr(function, "__name__", repr(function))
    if count not in (plain, plain + 1):
        wanted = "event, payload" if takes_payload else "event"
        raise ConfigurationError(name, f"a handler takes ({wanted}) or ({wanted}, context)")
    if _is(function, inspect.isgeneratorfunction) or _is(function, inspect.isasyncgenfunction):
        raise ConfigurationError(name, "yields, so that calling it would do nothing")
    return Handler(function, _is(function, inspect.iscoroutinefunction), count == plain + 1)


def _is(function: Callable[..., Any], kind: Callable[[object], bool]) -> bool:
    """Also of an object that can be called."""
    return kind(function) or kind(getattr(type(function), "__call__", None))  # noqa: B004 - what it is, not whether


def _positional_parameters(function: Callable[..., Any]) -> int:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise ConfigurationError(repr(function), f"is not a handler: {error}") from error
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise ConfigurationError(repr(function), f"nobody would give a handler its {parameter.name}")
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in kinds for parameter in parameters)
