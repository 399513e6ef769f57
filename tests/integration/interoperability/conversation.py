"""One conversation with a registry, to be had with several, and what of the answers must be the same."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any

PROTO = 'syntax = "proto3";\npackage test;\nmessage Login {\n  string user_id = 1;\n}\n'
WIDER = PROTO.replace("user_id = 1;", "user_id = 1;\n  int32 attempt = 2;")
RETYPED = PROTO.replace("string user_id", "int64 user_id")


@dataclass(frozen=True)
class Step:
    """A request; `{s}` in its path stands for a subject that no other test uses."""

    name: str
    method: str
    path: str
    body: Any = None


def record(*fields: str, optional: bool = True) -> dict[str, Any]:
    """A registration of an Avro record of integers."""
    default = {"default": 0} if optional else {}
    listed = [{"name": field, "type": "int"} | default for field in fields]
    return {"schema": json.dumps({"type": "record", "name": "R", "fields": listed})}


def proto(text: str) -> dict[str, Any]:
    """A registration of a Protobuf file."""
    return {"schema": text, "schemaType": "PROTOBUF"}


STEPS = (
    Step("list an unknown subject", "GET", "/subjects/{s}/versions"),
    Step("look up under an unknown subject", "POST", "/subjects/{s}", record("a")),
    Step("register", "POST", "/subjects/{s}/versions", record("a")),
    Step("register again", "POST", "/subjects/{s}/versions", record("a")),
    Step("register a wider one", "POST", "/subjects/{s}/versions", record("a", "b")),
    Step("register an incompatible one", "POST", "/subjects/{s}/versions", record("m", optional=False)),
    Step("register nonsense", "POST", "/subjects/{s}/versions", {"schema": "{"}),
    Step("look up", "POST", "/subjects/{s}", record("a")),
    Step("look up what is not there", "POST", "/subjects/{s}", record("z")),
    Step("list versions", "GET", "/subjects/{s}/versions"),
    Step("get a version", "GET", "/subjects/{s}/versions/1"),
    Step("get the latest", "GET", "/subjects/{s}/versions/latest"),
    Step("get a missing version", "GET", "/subjects/{s}/versions/9"),
    Step("get a version that is none", "GET", "/subjects/{s}/versions/first"),
    Step("get a missing id", "GET", "/schemas/ids/999999999"),
    Step("ask for a verdict", "POST", "/compatibility/subjects/{s}/versions/latest", record("a", "b", "c")),
    Step(
        "ask for a bad verdict", "POST", "/compatibility/subjects/{s}/versions", record("m", optional=False)
    ),
    Step("get an unset level", "GET", "/config/{s}"),
    Step("set a level", "PUT", "/config/{s}", {"compatibility": "FULL"}),
    Step("get a level", "GET", "/config/{s}"),
    Step("set a level that is none", "PUT", "/config/{s}", {"compatibility": "SIDEWAYS"}),
    Step("unset a level", "DELETE", "/config/{s}"),
    Step("delete a version for good at once", "DELETE", "/subjects/{s}/versions/1?permanent=true"),
    Step("delete a version", "DELETE", "/subjects/{s}/versions/1"),
    Step("get a deleted version", "GET", "/subjects/{s}/versions/1"),
    Step("delete a version twice", "DELETE", "/subjects/{s}/versions/1"),
    Step("delete a subject", "DELETE", "/subjects/{s}"),
    Step("delete a subject twice", "DELETE", "/subjects/{s}"),
    Step("delete a subject for good", "DELETE", "/subjects/{s}?permanent=true"),
    Step("get a subject that is gone", "GET", "/subjects/{s}/versions/latest"),
    Step("register a Protobuf file", "POST", "/subjects/{s}-p/versions", proto(PROTO)),
    Step(
        "register its text in another layout",
        "POST",
        "/subjects/{s}-p/versions",
        proto(f"{PROTO}// said\n\n"),
    ),
    Step("register a wider Protobuf file", "POST", "/subjects/{s}-p/versions", proto(WIDER)),
    Step("register an incompatible Protobuf file", "POST", "/subjects/{s}-p/versions", proto(RETYPED)),
    Step("list its versions", "GET", "/subjects/{s}-p/versions"),
    Step("ask for associations", "GET", "/associations/resources/-/{s}?resourceType=topic"),
)


@dataclass(frozen=True)
class Outcome:
    """What of an answer a client acts on."""

    status: int
    facts: Any


def hold(url: str) -> dict[str, Outcome]:
    """Have the conversation, about subjects that are new in this registry."""
    subject = f"conversation-{uuid.uuid4()}"
    return {step.name: _outcome(*_ask(url, step, subject), subject) for step in STEPS}


def _ask(url: str, step: Step, subject: str) -> tuple[int, bytes]:
    data = None if step.body is None else json.dumps(step.body).encode()
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    address = url + step.path.format(s=subject)
    request = urllib.request.Request(address, data, headers, method=step.method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def _outcome(status: int, body: bytes, subject: str) -> Outcome:
    """Ids, GUIDs and words differ from registry to registry, and mean nothing."""
    value = json.loads(body.replace(subject.encode(), b"S")) if body else None
    if not isinstance(value, dict):
        return Outcome(status, value)
    if "error_code" in value:
        return Outcome(status, value["error_code"])
    kept = value.keys() & {"subject", "version", "is_compatible", "compatibility", "compatibilityLevel"}
    return Outcome(status, {key: value[key] for key in sorted(kept)})
