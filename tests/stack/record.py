"""What `scripts/stack up` started, written down so that `down` ends that and nothing else."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from stack.process_id import ProcessId
from stack.server import Server
from stack.versions import ROOT

FOLDER = ROOT / ".stack"


@dataclass(frozen=True)
class RecordedServer:
    """A server process of an earlier command.

    Attributes:
        name: for the person who asks.
        process: whom to signal.
        log: where its output goes.
    """

    name: str
    process: ProcessId
    log: str

    @classmethod
    def of(cls, server: Server) -> RecordedServer:
        """The record of a server that was started just now."""
        return cls(server.name, server.process_id, str(server.log))


@dataclass(frozen=True)
class Record:
    """A stack that outlives the command that started it.

    Attributes:
        data: the folder that goes away with it.
        servers: its processes.
        kafka: the bootstrap servers; empty if it has no Kafka.
        registry: the Confluent API's URL; empty if it has no registry.
    """

    data: str
    servers: tuple[RecordedServer, ...] = ()
    kafka: str = ""
    registry: str = ""

    @property
    def is_running(self) -> bool:
        """Whether every server of it is alive."""
        return all(server.process.is_running() for server in self.servers)


def save(name: str, record: Record) -> None:
    """Write a stack down under a name, whole or not at all."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    draft = FOLDER / f"{name}.json.{os.getpid()}"
    draft.write_text(json.dumps(asdict(record), indent=2))
    draft.replace(FOLDER / f"{name}.json")


def load(name: str) -> Record | None:
    """The stack of this name, if one was started and not taken down."""
    try:
        kept = json.loads((FOLDER / f"{name}.json").read_text())
    except FileNotFoundError:
        return None
    servers = tuple(
        RecordedServer(server["name"], ProcessId(**server["process"]), server["log"])
        for server in kept["servers"]
    )
    return Record(kept["data"], servers, kept["kafka"], kept["registry"])


def forget(name: str) -> None:
    """Remove a stack's record."""
    (FOLDER / f"{name}.json").unlink(missing_ok=True)


def names() -> list[str]:
    """The stacks that are written down."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))
