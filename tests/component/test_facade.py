"""The public names: complete, the same for people and type checkers, and cheap to import."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

HTTP_STACK = {"httpx", "httpx2", "authlib", "requests", "confluent_kafka.schema_registry"}
FOR_EXTRAS = {"fastavro", "typer", "rich", "pytest"}


def modules_after(code: str) -> set[str]:
    """The modules that a fresh Python has loaded after running something."""
    show = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


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
