"""The public names: complete, the same for people and type checkers, and cheap to import."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import immersiverse.auth.events as facade
from immersiverse.auth.events import catalog, errors
from immersiverse.auth.events.v1 import events_pb2

HTTP_STACK = {"httpx", "httpx2", "authlib", "requests", "confluent_kafka.schema_registry"}
FOR_EXTRAS = {"fastavro", "typer", "rich", "pytest"}


def for_type_checkers() -> dict[str, str]:
    """The names under ``if TYPE_CHECKING:``, with the modules that they come from."""
    tree = ast.parse(Path(facade.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    return {name.asname or name.name: str(node.module) for node in imports for name in node.names}


def modules_after(code: str) -> set[str]:
    """The modules that a fresh Python has loaded after running something."""
    show = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_type_checkers_see_the_names_that_are_there() -> None:
    there = {name: f"{facade.__name__}.{home}" for name, home in facade._HOME.items()}
    assert for_type_checkers() == {**there, "catalog": facade.__name__}


def test_names_are_said_under_their_own_name_so_that_they_are_exported() -> None:
    tree = ast.parse(Path(facade.__file__).read_text())
    names = [name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names]
    assert all(name.asname in (None, name.name) for name in names)


@pytest.mark.parametrize("name", facade.__all__)
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(facade, name)
    assert name in dir(facade)
    if isinstance(value, type):
        assert value.__name__ == name


def test_every_message_and_enum_of_the_contract_is_public() -> None:
    file = events_pb2.DESCRIPTOR
    assert {*file.message_types_by_name, *file.enum_types_by_name} <= set(facade.__all__)
    assert {each.message for each in catalog.EVENT_TYPES.values()} <= {
        getattr(facade, n) for n in facade.__all__
    }


def test_every_error_is_public() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert defined <= set(facade.__all__)


def test_no_public_name_is_said_twice() -> None:
    assert len(set(facade.__all__)) == len(facade.__all__)


def test_other_names_are_missed_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'UserVanished'"):
        _ = facade.UserVanished


def test_the_namespace_is_shared_with_other_packages() -> None:
    import immersiverse.auth  # noqa: PLC0415 - it is what is looked at

    shared: list[ModuleType] = [immersiverse, immersiverse.auth]
    assert [module.__file__ for module in shared] == [None, None]


def test_importing_the_package_loads_nothing_but_itself() -> None:
    bare = modules_after("from __future__ import annotations; import importlib, typing")
    loaded = modules_after("import immersiverse.auth.events") - bare
    assert {name for name in loaded if not name.startswith("immersiverse")} == set()


@pytest.mark.parametrize(
    "code",
    [
        "from immersiverse.auth.events import UserCreated, catalog, new_event",
        "import immersiverse.auth.events as e; e.AuthEventDeserializer(e.PinnedSchemas(1))",
        "import immersiverse.auth.events as e; e.AuthEventSerializer(e.SchemaRegistry('http://localhost:1'))",
    ],
)
def test_the_http_stack_and_extras_are_not_loaded_before_they_are_used(code: str) -> None:
    assert modules_after(code) & {*HTTP_STACK, *FOR_EXTRAS} == set()


def test_importing_the_events_costs_little_more_than_importing_protobuf() -> None:
    bare: Any = modules_after("import sys")
    protobuf = (
        modules_after("import google.protobuf.timestamp_pb2, immersiverse.auth.events.v1.events_pb2") - bare
    )
    ours = modules_after("from immersiverse.auth.events import AuthEvent, UserCreated") - bare
    assert len(ours) <= 1.5 * len(protobuf)
