"""A handler is a function that names the payloads it wants."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.consumer.handlers import Handlers
from immersiverse.auth.events.kafka.consumer.records import Context
from immersiverse.auth.events.v1.events_pb2 import AuthEvent, LoginFailed, LoginSucceeded


def plain(event: Any, payload: Any) -> None:
    """Takes what every handler takes."""


def with_typed_transaction(_event: AuthEvent, _payload: LoginFailed, _context: Context[int]) -> None:
    pass


def with_context(event: Any, payload: Any, context: Any = None) -> None:
    """Takes the context too."""


async def waiting(event: Any, payload: Any) -> None:
    """Must be awaited."""


class Callables:
    async def __call__(self, event: Any, payload: Any) -> None:
        """An object that is called like a function."""

    def method(self, event: Any, payload: Any) -> None:
        """Its self is no parameter."""


def test_a_function_handles_the_payloads_that_it_names_and_no_other() -> None:
    handlers = Handlers()
    handlers.on(LoginFailed, LoginSucceeded)(plain)
    assert set(handlers.by_field) == {"login_failed", "login_succeeded"}


def test_the_decorated_function_stays_what_it_was() -> None:
    assert Handlers().on(LoginFailed)(plain) is plain
    assert Handlers().on_any(plain) is plain


def test_a_decorator_without_its_payloads_is_refused_before_anything_can_get_lost() -> None:
    function: Any = plain
    with pytest.raises(ConfigurationError, match=r"is not a payload .* such as on\(LoginFailed\)"):
        Handlers().on(function)


@pytest.mark.parametrize("first", ["on", "on_any"])
def test_on_any_gets_what_has_no_handler_of_its_own_whichever_comes_first(first: str) -> None:
    handlers = Handlers()
    steps: dict[str, Callable[[], Any]] = {
        "on": lambda: handlers.on(LoginFailed)(waiting),
        "on_any": lambda: handlers.on_any(plain),
    }
    for name in (first, *(steps.keys() - {first})):
        steps[name]()
    assert handlers.by_field.keys() == catalog.BY_PAYLOAD_FIELD.keys()
    assert {field for field, handler in handlers.by_field.items() if handler.call is waiting} == {
        "login_failed"
    }


@pytest.mark.parametrize(
    ("function", "is_async", "wants_context"),
    [
        (plain, False, False),
        (with_context, False, True),
        (with_typed_transaction, False, True),
        (waiting, True, False),
        (functools.partial(waiting), True, False),
        (functools.partial(with_context, context=1), False, False),
        (Callables(), True, False),
        (Callables().method, False, False),
        (lambda _event, _payload: None, False, False),
    ],
)
def test_how_a_function_is_called_is_read_from_it(function: Any, is_async: bool, wants_context: bool) -> None:
    handlers = Handlers()
    handlers.on(LoginFailed)(function)
    found = handlers.by_field["login_failed"]
    assert (found.is_async, found.wants_context) == (is_async, wants_context)


@pytest.mark.parametrize(
    "function", [lambda _: None, lambda _a, _b, _c, _d: None, lambda *_: None, lambda: None]
)
def test_a_function_that_takes_something_else_is_refused(function: Any) -> None:
    with pytest.raises(ConfigurationError, match="a handler takes"):
        Handlers().on(LoginFailed)(function)


def test_a_class_that_is_no_payload_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not a payload"):
        Handlers().on(AuthEvent)(plain)


def test_naming_no_payload_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="name the payload classes"):
        Handlers().on()


def test_a_second_handler_is_refused_and_changes_nothing() -> None:
    handlers = Handlers()
    handlers.on(LoginFailed)(plain)
    with pytest.raises(ConfigurationError, match="LoginFailed has a handler already"):
        handlers.on(LoginSucceeded, LoginFailed)(waiting)
    assert set(handlers.by_field) == {"login_failed"}


def test_a_second_handler_of_all_or_of_unknown_events_is_refused() -> None:
    handlers = Handlers()
    handlers.on_any(plain)
    handlers.on_unknown(lambda _: None)
    with pytest.raises(ConfigurationError, match="every event already"):
        handlers.on_any(waiting)
    with pytest.raises(ConfigurationError, match="unknown events already"):
        handlers.on_unknown(lambda _: None)


def yields(_event: Any, _payload: Any) -> Any:
    """Would do nothing when it is called."""
    yield


async def yields_and_waits(_event: Any, _payload: Any) -> Any:
    """Would do nothing either."""
    yield


@pytest.mark.parametrize("function", [yields, yields_and_waits])
def test_a_function_that_would_do_nothing_when_it_is_called_is_refused(function: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"yield"):
        Handlers().on_any(function)


def test_a_function_that_requires_a_keyword_is_refused() -> None:
    def wants(_event: Any, _payload: Any, *, database: Any) -> None:
        """Cannot be called."""

    with pytest.raises(ConfigurationError, match=r"requires the keyword database"):
        Handlers().on_any(wants)


def of_another(_event: AuthEvent, _payload: LoginSucceeded) -> None:
    """Its payload is annotated."""


def of_either(_event: AuthEvent, _payload: LoginFailed | LoginSucceeded, _context: Context | None) -> None:
    """Takes both."""


def of_any(_event: AuthEvent, _payload: Message) -> None:
    """Takes every payload."""


def swapped(_payload: LoginFailed, _event: AuthEvent) -> None:
    """Its parameters stand the wrong way round."""


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (of_another, "of_another: handles LoginFailed, and its payload is annotated LoginSucceeded"),
        (swapped, "swapped: its first parameter is the AuthEvent, not a LoginFailed"),
    ],
)
def test_a_function_that_is_annotated_with_another_payload_is_refused(function: Any, said: str) -> None:
    handlers = Handlers()
    with pytest.raises(ConfigurationError, match=said):
        handlers.on(LoginFailed)(function)
    assert handlers.by_field == {}


@pytest.mark.parametrize("function", [of_either, of_any, plain])
def test_a_function_whose_annotation_takes_the_payloads_is_accepted(function: Any) -> None:
    handlers = Handlers()
    handlers.on(LoginFailed, LoginSucceeded)(function)
    assert set(handlers.named) == {"login_failed", "login_succeeded"}


def test_an_annotation_that_only_a_type_checker_can_resolve_is_left_to_it() -> None:
    def unresolvable(_event: AuthEvent, _payload: Missing) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Its annotation exists nowhere."""

    Handlers().on(LoginFailed)(unresolvable)
