from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

HEADERS = {"Content-Type": "application/vnd.schemaregistry.v1+json"}


@dataclass
class Caller:
    """Asks a registry over one connection; the answer's status and its JSON."""

    url: str

    def __post_init__(self) -> None:
        self.connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)

    def __call__(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        content = body if isinstance(body, bytes | None) else json.dumps(body)
        self.connection.request(method, target, content, HEADERS)
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.headers["Content-Type"] == HEADERS["Content-Type"]
        return answer.status, json.loads(text)

    def ok(self, method: str, target: str, body: Any = None) -> Any:
        status, value = self(method, target, body)
        assert status == 200, value
        return value

    def code(self, method: str, target: str, body: Any = None) -> int:
        status, value = self(method, target, body)
        code: int = value["error_code"]
        assert str(code).startswith(str(status))
        assert value["message"]
        return code

    def register(self, subject: str, body: Any) -> int:
        """The id."""
        schema_id: int = self.ok("POST", f"/subjects/{subject}/versions", body)["id"]
        return schema_id
