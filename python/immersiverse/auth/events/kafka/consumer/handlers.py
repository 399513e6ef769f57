"""Which function handles which event."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Union, get_args, get_origin, overload

from google.protobuf.message import Message

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.consumer.records import Context
    from immersiverse.auth.events.serialization.unknown import UnknownEvent

    Result = Awaitable[None] | None
    HandlerOfAny = Callable[[AuthEvent, Any], Result] | Callable[[AuthEvent, Any, Context], Result]
    HandlerOfUnknown = Callable[[UnknownEvent], Result] | Callable[[UnknownEvent, Context], Result]

_NAME_THEM = "name the payload classes to handle, such as on(LoginFailed)"

P = TypeVar("P", bound=Message)
R = TypeVar("R", bound=Awaitable[None] | None)
H = TypeVar("H", bound="HandlerOfAny")
U = TypeVar("U", bound="HandlerOfUnknown")


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


class Registration(Generic[P]):
    """The decorator that ``on(...)`` returns, for handlers whose payload is annotated with those classes."""

    def __init__(self, handlers: Handlers, payloads: tuple[type[Message], ...]) -> None:
        self._handlers = handlers
        self._payloads = payloads

    @overload
    def __call__(self, function: Callable[[AuthEvent, P], R]) -> Callable[[AuthEvent, P], R]: ...
    @overload
    def __call__(
        self, function: Callable[[AuthEvent, P, Context], R]
    ) -> Callable[[AuthEvent, P, Context], R]: ...
    def __call__(self, function: Callable[..., R]) -> Callable[..., R]:
        """Register the function.

        Raises:
            ConfigurationError: if it cannot be called as a handler, is annotated with another payload, or a
                payload has a handler already.
        """
        self._handlers.add(function, self._payloads)
        return function


class Handlers:
    """The handlers of one subscriber.

    Attributes:
        by_field: what handles an event of the contract, by the envelope's payload field.
        unknown: what handles events of types that the contract does not know.
    """

    def __init__(self) -> None:
        self.by_field: dict[str, Handler] = {}
        self.unknown: Handler | None = None
        self._any: Handler | None = None

    @property
    def all(self) -> tuple[Handler, ...]:
        """Every handler that may be called."""
        return (*self.by_field.values(), *((self.unknown,) if self.unknown else ()))

    @property
    def named(self) -> tuple[str, ...]:
        """The payload fields that have a handler of their own."""
        return tuple(field for field, handler in self.by_field.items() if handler is not self._any)

    def on(self, *payloads: type[Message]) -> Registration[Any]:
        """A decorator that registers a function ``(event, payload[, context])`` for payload classes.

        Raises:
            ConfigurationError: if a class is not a payload of the contract.
        """
        if not payloads:
            raise ConfigurationError("on", _NAME_THEM)
        for payload in payloads:
            if not _is_payload(payload):
                raise ConfigurationError("on", f"{payload!r} is not a payload of the contract: {_NAME_THEM}")
        return Registration(self, payloads)

    def add(self, function: Callable[..., Any], payloads: tuple[type[Message], ...]) -> None:
        """Register a function for payload classes.

        Raises:
            ConfigurationError: see `Registration`.
        """
        fields = [self._free_field(payload) for payload in payloads]
        handler = _handler(function, takes_payload=True, payloads=payloads)
        self.by_field.update(dict.fromkeys(fields, handler))

    def on_any(self, function: H) -> H:
        """Register a function ``(event, payload[, context])`` for every type without a handler of its own.

        Raises:
            ConfigurationError: if there is one already.
        """
        if self._any is not None:
            raise ConfigurationError("on_any", "there is a handler for every event already")
        self._any = _handler(function, takes_payload=True)
        for event_type in catalog.EVENT_TYPES.values():
            self.by_field.setdefault(event_type.payload_field, self._any)
        return function

    def on_unknown(self, function: U) -> U:
        """Register a function ``(unknown_event[, context])`` for types that the contract does not know.

        Raises:
            ConfigurationError: if there is one already.
        """
        if self.unknown is not None:
            raise ConfigurationError("on_unknown", "there is a handler for unknown events already")
        self.unknown = _handler(function, takes_payload=False)
        return function

    def _free_field(self, payload: type[Message]) -> str:
        event_type = catalog.BY_MESSAGE[payload]
        if self.by_field.get(event_type.payload_field) not in (None, self._any):
            raise ConfigurationError("on", f"{event_type.name} has a handler already")
        return event_type.payload_field


def _handler(
    function: Callable[..., Any], *, takes_payload: bool, payloads: tuple[type[Message], ...] = ()
) -> Handler:
    name = getattr(function, "__name__", repr(function))
    parameters = _positional_parameters(function)
    plain = 2 if takes_payload else 1
    if len(parameters) not in (plain, plain + 1):
        wanted = "event, payload" if takes_payload else "event"
        raise ConfigurationError(name, f"a handler takes ({wanted}) or ({wanted}, context)")
    if _is(function, inspect.isgeneratorfunction) or _is(function, inspect.isasyncgenfunction):
        raise ConfigurationError(name, "contains yield, so that calling it would do nothing")
    if payloads:
        _check_annotations(name, parameters, payloads)
    return Handler(function, _is(function, inspect.iscoroutinefunction), len(parameters) == plain + 1)


def _is(function: Callable[..., Any], kind: Callable[[object], bool]) -> bool:
    """Also of an object with ``__call__``."""
    return kind(function) or kind(getattr(type(function), "__call__", None))  # noqa: B004 - what it is, not whether


def _positional_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        parameters = _signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise ConfigurationError(repr(function), f"is not a handler: {error}") from error
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise ConfigurationError(
                repr(function), f"requires the keyword {parameter.name}: give it a default"
            )
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter for parameter in parameters if parameter.kind in kinds]


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """With annotations as objects where they can be resolved; some are imported for type checkers only."""
    try:
        return inspect.signature(function, eval_str=True)
    except Exception:  # noqa: BLE001 - an annotation may be any expression
        return inspect.signature(function)


def _check_annotations(
    name: str, parameters: list[inspect.Parameter], payloads: tuple[type[Message], ...]
) -> None:
    """Refuse a handler that is annotated with other messages than it would be called with."""
    event, payload = parameters[0].annotation, parameters[1].annotation
    if not _accepts(event, AuthEvent):
        raise ConfigurationError(name, f"its first parameter is the AuthEvent, not a {_name(event)}")
    for handled in payloads:
        if not _accepts(payload, handled):
            raise ConfigurationError(
                name, f"handles {handled.__name__}, and its payload is annotated {_name(payload)}"
            )


def _accepts(annotation: Any, message: type[Message]) -> bool:
    """Whether a message fits an annotation. Only one that names other messages does not accept it."""
    if get_origin(annotation) in (Union, UnionType):
        return any(_accepts(part, message) for part in get_args(annotation) if part is not type(None))
    return not (isinstance(annotation, type) and issubclass(annotation, Message)) or issubclass(
        message, annotation
    )


def _name(annotation: Any) -> str:
    return getattr(annotation, "__name__", str(annotation))


def _is_payload(given: object) -> bool:
    return isinstance(given, type) and given in catalog.BY_MESSAGE
