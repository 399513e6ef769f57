from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from integration.interoperability import polyglot
from integration.interoperability.polyglot import Program
from integration.interoperability.python_client import PythonClient


@pytest.fixture
def registry() -> Iterator[str]:
    """The address of an empty embedded registry."""
    with EmbeddedRegistry() as started:
        yield started.url


@pytest.fixture(scope="session")
def python() -> PythonClient:
    return PythonClient()


@pytest.fixture(scope="session")
def node() -> Iterator[Program]:
    need("Node.js", "node", "npm")
    with polyglot.node() as program:
        yield program


@pytest.fixture(scope="session")
def go() -> Iterator[Program]:
    need("Go with cgo", "go", "gcc")
    with polyglot.go() as program:
        yield program


def need(language: str, *commands: str) -> None:
    """Skip where the language is not installed, but never where it is everybody's proof."""
    missing = [command for command in commands if not shutil.which(command)]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{language} is missing: install {' and '.join(missing)}")
    if missing:
        pytest.skip(f"{language} is not installed ({' and '.join(missing)} not found)")
