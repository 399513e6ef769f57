"""No foreign exception leaves a public function, whatever it is called with."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

import immersiverse.auth.events as facade
from immersiverse.auth.events import AuthEvent, AuthEventsError, LoginFailed, PinnedSchemas, UserDeleted

KAFKA = {"bootstrap.servers": "localhost:1", "group.id": "tests", "log_level": 0}
SCHEMAS = PinnedSchemas(1)
SERIALIZER, DESERIALIZER = facade.AuthEventSerializer(SCHEMAS), facade.AuthEventDeserializer(SCHEMAS)
ODD = st.sampled_from(
    [
        *(
            None,
            True,
            0,
            -1,
            2**70,
            1.5,
            float("nan"),
            "",
            "x",
            "\ud800",
            "\0",
            b"",
            b"\0\0\0\0\1\0",
            b"{",
            object(),
        ),
        *(
            [],
            {},
            (),
            [None],
            ["x"],
            {"a": 1},
            {1: 2},
            {"url": 5},
            {"url": "mock://x"},
            {"PROTOBUF": "x"},
            KAFKA,
        ),
        *("PROTOBUF", "protobuf", "JSON", "xml", "header", "http://localhost:1", "mock://tests", "text"),
        *(
            AuthEvent(),
            LoginFailed(),
            LoginFailed,
            UserDeleted(user_id="u"),
            Timestamp(),
            SCHEMAS,
            print,
            Exception,
        ),
    ]
)


def called_freely(function: Callable[..., Any], draw: st.DataObject) -> Any:
    """Call a function with any values for its parameters; TypeError is what a wrong type may raise."""
    arguments = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and (parameter.default is parameter.empty or draw.draw(st.booleans(), label=f"{parameter.name}?"))
    ]
    values = {each.name: draw.draw(ODD, label=each.name) for each in arguments}
    positional = [values.pop(each.name) for each in arguments if each.kind is each.POSITIONAL_ONLY]
    try:
        return function(*positional, **values)
    except (AuthEventsError, TypeError):
        return None


def is_made_of(name: str, kinds: tuple[type, ...]) -> bool:
    value = getattr(facade, name)
    return isinstance(value, type) and issubclass(value, kinds)


CALLABLES = [
    name
    for name in facade.__all__
    if callable(getattr(facade, name))
    and name != "Hook"
    and not is_made_of(name, (BaseException, Message, Enum))
]


@pytest.mark.parametrize("name", CALLABLES)
@given(draw=st.data())
@settings(max_examples=60, deadline=None)
def test_a_public_callable_raises_errors_of_the_tree_or_a_type_error(name: str, draw: st.DataObject) -> None:
    made = called_freely(getattr(facade, name), draw)
    if name in {"Publisher", "SchemaRegistry"} and made is not None:
        made.close()


def subscriber() -> facade.Subscriber:
    return facade.Subscriber(KAFKA, deserializer=DESERIALIZER)


METHODS: dict[str, Callable[[], Callable[..., Any]]] = {
    "serialize": lambda: SERIALIZER.serialize,
    "serializer": lambda: SERIALIZER,
    "deserializer": lambda: DESERIALIZER,
    "deserialize": lambda: DESERIALIZER.deserialize,
    "on": lambda: lambda payload: subscriber().on(payload),
    "handler": lambda: subscriber().on(LoginFailed),
    "on_any": lambda: subscriber().on_any,
    "on_unknown": lambda: subscriber().on_unknown,
    "from_yaml": lambda: lambda path: facade.Subscriber.from_yaml(path, environ={}),
    "pinned_id": lambda: SCHEMAS.schema_id,
    "pinned_writer": lambda: SCHEMAS.writer_schema,
    "subject": lambda: facade.SchemaRegistry("mock://x").subject,
    "schema_id": lambda: facade.SchemaRegistry("mock://x").schema_id,
    "writer_schema": lambda: facade.SchemaRegistry("mock://x").writer_schema,
    "register": lambda: facade.SchemaRegistry("mock://x").register,
    "registered": lambda: facade.SchemaRegistry("mock://x").registered,
    "inspect": lambda: facade.SchemaRegistry("mock://x").inspect,
    "find": lambda: facade.catalog.find,
    "admit": lambda: facade.MemoryInbox().admit,
}


@pytest.mark.parametrize("name", METHODS)
@given(draw=st.data())
@settings(max_examples=60, deadline=None)
def test_so_does_a_method_of_what_they_make(name: str, draw: st.DataObject) -> None:
    called_freely(METHODS[name](), draw)
