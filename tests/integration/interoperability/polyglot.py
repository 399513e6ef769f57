"""Confluent's Node.js and Go serializers as programs that are asked in lines and answer in lines.

The first line is the base64 of a FileDescriptorSet; each that follows is a request as JSON, answered by one.
The programs are built once per content, into the user's cache.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.protobuf.message import Message

from immersiverse.auth.events.v1 import events_pb2
from integration.interoperability.contract import descriptors
from integration.interoperability.python_client import Written
from stack.downloads import cache_folder

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Program:
    """A running client of another language."""

    process: subprocess.Popen[str]

    def write(self, url: str, topic: str, event: Message, *, how: str, header: bool = False) -> Written:
        """Serialize; `how` is register, lookup or latest."""
        facts = {"how": how, "header": header, "message": event.DESCRIPTOR.full_name}
        return self._written("protobuf", url, topic, event.SerializeToString(), facts)

    def read(self, url: str, topic: str, written: Written) -> events_pb2.AuthEvent:
        """Deserialize."""
        facts = {"message": events_pb2.AuthEvent.DESCRIPTOR.full_name}
        return events_pb2.AuthEvent.FromString(self._read("protobuf", url, topic, written, facts))

    def write_avro(self, url: str, topic: str, value: Any) -> Written:
        """Serialize with the latest schema."""
        return self._written("avro", url, topic, json.dumps(value).encode(), {"how": "latest"})

    def read_avro(self, url: str, topic: str, written: Written) -> Any:
        """Deserialize."""
        return json.loads(self._read("avro", url, topic, written, {}))

    def _written(self, form: str, url: str, topic: str, value: bytes, facts: Mapping[str, Any]) -> Written:
        request = {"do": "write", "format": form, "url": url, "topic": topic, "value": _text(value), **facts}
        answer = self._ask(request)
        headers = answer.get("headers", {}).items()
        return Written(_bytes(answer["value"]), {name: _bytes(text) for name, text in headers})

    def _read(self, form: str, url: str, topic: str, written: Written, facts: Mapping[str, Any]) -> bytes:
        headers = {name: _text(value) for name, value in written.headers.items()}
        request = {"do": "read", "format": form, "url": url, "topic": topic, "headers": headers, **facts}
        return _bytes(self._ask(request | {"value": _text(written.value)})["value"])

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline() or '{"error": "it ended"}')
        assert "error" not in answer, answer["error"]
        return answer


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[Program]:
    """The program while it runs, given the contract."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    ) as process:
        assert process.stdin
        print(_text(descriptors().SerializeToString()), file=process.stdin, flush=True)
        yield Program(process)
        process.stdin.close()


@contextmanager
def node() -> Iterator[Program]:
    """Confluent's client for Node.js."""

    def build(folder: Path) -> None:
        shutil.copy(HERE / "node" / "package.json", folder)
        quiet = ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(["npm", "install", *quiet], cwd=folder, check=True)

    modules = _built("node", [HERE / "node" / "package.json"], build) / "node_modules"
    with running(["node", str(HERE / "node" / "main.cjs")], NODE_PATH=str(modules)) as program:
        yield program


@contextmanager
def go() -> Iterator[Program]:
    """Confluent's client for Go."""

    def build(folder: Path) -> None:
        subprocess.run(["go", "build", "-o", str(folder / "client"), "."], cwd=HERE / "go", check=True)

    sources = [HERE / "go" / name for name in ("go.mod", "go.sum", "main.go")]
    with running([str(_built("go", sources, build) / "client")]) as program:
        yield program


def _built(name: str, sources: list[Path], build: Callable[[Path], None]) -> Path:
    """The folder in the cache that holds what is built of the sources, whole or not at all."""
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    target = cache_folder() / f"{name}-{digest}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            with TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as beside:
                fresh = Path(beside) / "fresh"
                fresh.mkdir()
                build(fresh)
                fresh.rename(target)
    return target


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
