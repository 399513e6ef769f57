"""The samples, and what protoc makes of .proto files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import grpc_tools
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Compile = Callable[..., dict[str, FileDescriptorProto]]

SAMPLES = Path(__file__).parent / "samples"
SHIPPED = Path(grpc_tools.__file__).parent / "_proto"


@pytest.fixture(scope="session")
def compile_files(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """protoc's descriptors, imports included, by import path."""

    def compiled(
        roots: Iterable[Path], names: Iterable[str], *options: str
    ) -> dict[str, FileDescriptorProto]:
        out = tmp_path_factory.mktemp("protoc") / "set.bin"
        includes = [f"-I{root}" for root in (*roots, SHIPPED)]
        outputs = ["--include_imports", f"--descriptor_set_out={out}"]
        # A process of its own: protoc ends it when it fails in earnest.
        command = [sys.executable, "-m", "grpc_tools.protoc", *includes, *outputs, *options, *names]
        subprocess.run(command, check=True)
        return {file.name: file for file in FileDescriptorSet.FromString(out.read_bytes()).file}

    return compiled


@pytest.fixture(scope="session")
def protoc_samples(compile_files: Compile) -> dict[str, FileDescriptorProto]:
    """What protoc makes of every sample."""
    return compile_files([SAMPLES], sorted(path.name for path in SAMPLES.glob("*.proto")))
