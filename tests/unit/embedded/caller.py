from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from immersiverse.auth.events.embedded.registry.api import respond
from immersiverse.auth.events.embedded.registry.store import Store


@dataclass
class Caller:
    """Asks the REST interface without a socket; the answer's status and its JSON."""

    store: Store = field(default_factory=Store)

    def __call__(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        sent = b"" if body is None else json.dumps(body).encode()
        answer = respond(self.store, method, target, sent)
        return answer.status, json.loads(answer.body)

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
