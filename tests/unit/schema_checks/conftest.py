"""Schemas from .proto text, compiled in the tests' process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc_tools
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.schema_checks.version import ProtoSchema, imported

CONTRACT = Path(__file__).parents[3] / "proto"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"

Compile = Callable[..., ProtoSchema]


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compile the body of a file; other files are given by their import paths, as whole texts."""

    def compiled(
        body: str, *, syntax: str = "proto3", package: str = "library", files: dict[str, str] | None = None
    ) -> ProtoSchema:
        folder = tmp_path_factory.mktemp("proto")
        imports = "".join(f'import "{path}";\n' for path in files or {})
        word = "edition" if syntax.isdigit() else "syntax"
        head = f'{word} = "{syntax}";\n' + (f"package {package};\n" if package else "")
        for path, text in {**(files or {}), "library.proto": head + imports + body}.items():
            (folder / path).write_text(text)
        found = folder / "descriptors"
        arguments = [f"-I{folder}", f"-I{CONTRACT}", f"-I{WELL_KNOWN}", f"--descriptor_set_out={found}"]
        assert protoc.main(["protoc", *arguments, "--include_imports", "library.proto"]) == 0
        known = {file.name: file for file in FileDescriptorSet.FromString(found.read_bytes()).file}
        root = known.pop("library.proto")
        return ProtoSchema(root, imported(root, known))

    return compiled


@pytest.fixture(scope="session")
def verdict(schema: Compile) -> Callable[..., tuple[bool, set[str]]]:
    """Compare two bodies: whether the change is compatible, and every kind with its path."""

    def judged(
        old: str,
        new: str,
        *,
        rules: Rules = Rules.CONFLUENT,
        old_options: Any = None,
        new_options: Any = None,
        **options: Any,
    ) -> tuple[bool, set[str]]:
        before = schema(old, **options, **(old_options or {}))
        after = schema(new, **options, **(new_options or {}))
        changes = compare(before, after, rules=rules)
        return all(change.compatible for change in changes), {f"{c.kind} {c.path}" for c in changes}

    return judged


@pytest.fixture(scope="session")
def refused(schema: Compile) -> Callable[..., set[str]]:
    """Compare two bodies by the strict rules: every refused kind with its path."""

    def judged(
        old: str, new: str, *, old_options: Any = None, new_options: Any = None, **options: Any
    ) -> set[str]:
        before = schema(old, **options, **(old_options or {}))
        after = schema(new, **options, **(new_options or {}))
        changes = compare(before, after, rules=Rules.STRICT)
        return {f"{change.kind} {change.path}" for change in changes if not change.compatible}

    return judged
