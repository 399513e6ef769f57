"""Handlers that a subscriber would refuse, or that would fail when they are called."""

from collections.abc import AsyncIterator, Iterator

from immersiverse.auth.events import (
    AuthEvent,
    AuthEventDeserializer,
    Context,
    LoginFailed,
    LoginSucceeded,
    Subscriber,
    UnknownEvent,
    UserCreated,
    UserDeleted,
    UserUpdated,
)

subscriber = Subscriber({}, deserializer=AuthEventDeserializer())


@subscriber.on(LoginFailed)
def right(event: AuthEvent, login: LoginFailed) -> None: ...


@subscriber.on(LoginFailed)
async def right_with_context(event: AuthEvent, login: LoginFailed, context: Context) -> None: ...


@subscriber.on(LoginFailed, LoginSucceeded)
def right_of_two(event: AuthEvent, login: LoginFailed | LoginSucceeded) -> None: ...


@subscriber.on_any
def right_of_any(event: AuthEvent, payload: object) -> None: ...


@subscriber.on_unknown
async def right_of_unknown(event: UnknownEvent, context: Context) -> None: ...


@subscriber.on(LoginFailed)  # refused
def of_another_payload(event: AuthEvent, login: LoginSucceeded) -> None: ...


@subscriber.on(LoginFailed)  # refused
def without_the_event(login: LoginFailed) -> None: ...


@subscriber.on(LoginFailed)  # refused
def of_a_payload_for_an_event(event: LoginFailed, login: LoginFailed) -> None: ...


@subscriber.on(LoginFailed)  # refused
def with_more_than_a_context(event: AuthEvent, login: LoginFailed, context: Context, more: int) -> None: ...


@subscriber.on(LoginFailed)  # refused
def with_another_context(event: AuthEvent, login: LoginFailed, context: str) -> None: ...


@subscriber.on(LoginFailed)  # refused
def that_yields(event: AuthEvent, login: LoginFailed) -> Iterator[None]:
    yield


@subscriber.on(LoginFailed)  # refused
async def that_yields_later(event: AuthEvent, login: LoginFailed) -> AsyncIterator[None]:
    yield


@subscriber.on(LoginFailed)  # refused
def that_returns_something(event: AuthEvent, login: LoginFailed) -> bool:
    return True


@subscriber.on(LoginFailed, LoginSucceeded)  # refused
def of_one_of_two(event: AuthEvent, login: LoginFailed) -> None: ...


@subscriber.on(UserCreated, UserUpdated, UserDeleted, LoginFailed)  # refused
def of_three_of_four(event: AuthEvent, payload: UserCreated | UserUpdated | UserDeleted) -> None: ...


@subscriber.on_any  # refused
def of_any_without_the_event(payload: object) -> None: ...


@subscriber.on_unknown  # refused
def of_unknown_with_a_payload(event: UnknownEvent, payload: LoginFailed) -> None: ...


subscriber.on()  # refused
subscriber.on(str)  # refused
subscriber.on("LoginFailed")  # refused
