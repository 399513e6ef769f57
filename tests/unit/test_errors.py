"""The error tree is as its file draws it, and each leaf carries its facts."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from immersiverse.auth.events import errors

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, Exception)
}
SAMPLES: list[tuple[errors.AuthEventsError, dict[str, Any]]] = [
    (errors.InvalidEvent("E", "f", "r"), {"event_type": "E", "field": "f", "rule": "r"}),
    (errors.MalformedPayload("r", "f"), {"reason": "r", "field": "f"}),
    (errors.UnknownSchemaId(7), {"schema_id": 7}),
    (errors.WrongSchema(7, "x"), {"schema_id": 7, "found": "x"}),
    (errors.RegistryRefused("no", 401, 40101), {"status": 401, "error_code": 40101}),
    (
        errors.SchemaRefused(7, errors.RegistryRefused("no", 403, 40301)),
        {"schema_id": 7, "status": 403, "error_code": 40301},
    ),
    (errors.SchemaNotRegistered("s"), {"subject": "s"}),
    (errors.IncompatibleSchema("s", "r"), {"subject": "s", "reasons": "r"}),
    (errors.SubjectCollision("s", holds="AVRO", wanted="PROTOBUF"), {"holds": "AVRO", "wanted": "PROTOBUF"}),
    (errors.MissingExtra("avro", "Avro"), {"extra": "avro"}),
]


def drawn() -> dict[str, str]:
    """Each class of the drawing with the one that it hangs from."""
    _, _, drawing = inspect.cleandoc(errors.__doc__ or "").partition("\n\n")
    lines = re.findall(r"^([│├└─ ]*)(\w+)", drawing, re.MULTILINE)
    path: list[str] = []
    parents = {}
    for branch, name in lines:
        depth = len(branch) // 4
        path[depth:] = [name]
        parents[name] = path[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_is_as_it_is_drawn() -> None:
    assert drawn() == {name: cls.__bases__[0].__name__ for name, cls in CLASSES.items()}


def test_an_outage_is_worth_another_try() -> None:
    assert {name for name in CLASSES if name.endswith("Unavailable")}
    assert all(cls.retryable for name, cls in CLASSES.items() if name.endswith("Unavailable"))


def test_bad_events_and_bad_bytes_are_not() -> None:
    hopeless = (errors.InvalidEvent, errors.DecodeError, errors.InvalidSchema, errors.MissingExtra)
    assert {cls for cls in CLASSES.values() if issubclass(cls, hopeless) and cls.retryable} == {
        errors.CompilationTimeout  # of a machine that is busy
    }


@pytest.mark.parametrize(("error", "facts"), SAMPLES, ids=lambda each: type(each).__name__)
def test_an_error_carries_its_facts(error: errors.AuthEventsError, facts: dict[str, Any]) -> None:
    assert {name: getattr(error, name) for name in facts} == facts
    assert str(error)


def test_messages_name_what_to_do() -> None:
    assert "auth-events schema register" in str(errors.SchemaNotRegistered("s"))
    assert "pip install 'immersiverse-auth-events[avro]'" in str(errors.MissingExtra("avro", "Avro"))
    assert str(errors.InvalidEvent("E", "", "r")) == "E: r"
    assert str(errors.MalformedPayload("r")) == "r"
