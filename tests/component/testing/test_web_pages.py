"""A web page that a developer happens to read can neither write to their registry nor read it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from component.testing.schemas import record
from immersiverse.auth.events.testing.registry import EmbeddedRegistry

JSON = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
TARGET = "/subjects/s/versions"


def ask(registry: EmbeddedRegistry, method: str, target: str, headers: dict[str, str]) -> tuple[int, int]:
    """The status of an answer, and its error code."""
    body = json.dumps(record("a")).encode() if method == "POST" else None
    request = urllib.request.Request(registry.url + target, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, 0
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)["error_code"]


def subjects(registry: EmbeddedRegistry) -> list[str]:
    with urllib.request.urlopen(f"{registry.url}/subjects", timeout=5) as answer:
        found: list[str] = json.load(answer)
    return found


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://evil.example:8081",
        "null",
        "",
        "http://203.0.113.5",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://registry",
        "chrome-extension://abcdef",
        "http://[",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_page_of_another_site_is_refused(registry: EmbeddedRegistry, origin: str, method: str) -> None:
    assert ask(registry, method, TARGET, {**JSON, "Origin": origin}) == (403, 403)
    assert subjects(registry) == []


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080", "own"])
def test_a_page_of_this_machine_is_served(registry: EmbeddedRegistry, origin: str) -> None:
    own = registry.url if origin == "own" else origin
    assert ask(registry, "POST", TARGET, {**JSON, "Origin": own}) == (200, 0)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "a.b"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_sites_name_that_leads_here_is_refused(registry: EmbeddedRegistry, host: str, method: str) -> None:
    assert ask(registry, method, TARGET, {**JSON, "Host": host}) == (403, 403)
    rebound = {**JSON, "Host": host, "Origin": f"http://{host}"}
    assert ask(registry, method, TARGET, rebound) == (403, 403)
    assert subjects(registry) == []


@pytest.mark.parametrize(
    "host",
    ["localhost:8081", "LOCALHOST", "127.0.0.1:1", "[::1]:8081", "192.0.2.7:8081", "schema-registry:8081",
     "host.docker.internal:8081", "registry.namespace.svc.cluster.local"],
)  # fmt: skip
def test_an_address_or_a_name_that_no_site_can_have_is_served(registry: EmbeddedRegistry, host: str) -> None:
    assert ask(registry, "POST", TARGET, {**JSON, "Host": host}) == (200, 0)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded",
     "multipart/form-data; boundary=x", "text/plain; application/json", "application/jsonp", ""],
)  # fmt: skip
def test_a_body_that_a_page_may_send_without_asking_is_refused(
    registry: EmbeddedRegistry, content_type: str
) -> None:
    assert ask(registry, "POST", TARGET, {"Content-Type": content_type}) == (415, 415)
    assert subjects(registry) == []


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", "application/vnd.schemaregistry.v1+json",
     "application/vnd.schemaregistry+json", "application/octet-stream"],
)  # fmt: skip
def test_a_body_of_a_registrys_types_is_taken(registry: EmbeddedRegistry, content_type: str) -> None:
    assert ask(registry, "POST", TARGET, {"Content-Type": content_type}) == (200, 0)


def test_a_preflight_allows_nothing(registry: EmbeddedRegistry) -> None:
    request = urllib.request.Request(registry.url + TARGET, method="OPTIONS")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=5)
    with refusal.value as answer:
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
