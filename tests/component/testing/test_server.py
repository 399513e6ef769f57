"""The registry as a server: its address, its thread, its file."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from http.client import HTTPConnection, RemoteDisconnected, ResponseNotReady
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from component.testing.schemas import record
from immersiverse.auth.events.errors import RegistryError, RegistryUnavailable
from immersiverse.auth.events.testing.registry import EmbeddedRegistry

if TYPE_CHECKING:
    from pathlib import Path


def call(registry: EmbeddedRegistry, method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        registry.url + path, data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.headers["Content-Type"] == "application/vnd.schemaregistry.v1+json"
        return json.load(answer)


def test_it_answers_while_open_and_hangs_up_when_closed() -> None:
    with EmbeddedRegistry() as registry:
        assert call(registry, "GET", "/subjects") == []
        address = urlsplit(registry.url)
        kept = HTTPConnection(str(address.hostname), address.port, timeout=5)
        kept.request("GET", "/subjects")
        assert kept.getresponse().read() == b"[]"
    with suppress(ConnectionError):
        kept.request("GET", "/subjects")
    with pytest.raises((RemoteDisconnected, ConnectionError, ResponseNotReady)):
        kept.getresponse()
    kept.close()
    with pytest.raises(urllib.error.URLError):
        call(registry, "GET", "/subjects")


def test_after_an_outage_it_has_the_same_address_and_memory() -> None:
    with EmbeddedRegistry() as registry:
        url = registry.url
        call(registry, "POST", "/subjects/s/versions", record("a"))
        registry.stop()
        registry.stop()
        registry.start()
        registry.start()
        assert registry.url == url
        assert call(registry, "GET", "/subjects") == ["s"]


def test_an_address_in_use_is_an_error_of_ours() -> None:
    with EmbeddedRegistry() as registry:
        port = urlsplit(registry.url).port
        assert port is not None
        for wrong in (
            EmbeddedRegistry(port=port),
            EmbeddedRegistry(host="256.1.1.1"),
        ):
            with pytest.raises(RegistryUnavailable):
                wrong.start()


def test_a_change_that_cannot_be_written_is_refused_and_not_kept(tmp_path: Path) -> None:
    """A file takes the directory's place: nothing can be written there, as on a full disk."""
    there, away = tmp_path / "state", tmp_path / "away"
    path = there / "registry.json"
    with EmbeddedRegistry(path=path) as registry:
        call(registry, "POST", "/subjects/kept/versions", record("a"))
        there.rename(away)
        there.write_text("in the way")
        for method, target, body in (
            ("POST", "/subjects/lost/versions", record("a", "b")),
            ("PUT", "/config", {"compatibility": "NONE"}),
            ("DELETE", "/subjects/kept", None),
        ):
            with pytest.raises(urllib.error.HTTPError) as refusal:
                call(registry, method, target, body)
            with refusal.value as answer:
                assert json.load(answer)["error_code"] == 50001
            assert call(registry, "GET", "/subjects") == ["kept"]
            assert call(registry, "GET", "/config") == {"compatibilityLevel": "BACKWARD"}
        there.unlink()
        away.rename(there)
        assert call(registry, "POST", "/subjects/lost/versions", record("a", "b"))["id"] == 2
    with EmbeddedRegistry(path=path) as registry:
        assert call(registry, "GET", "/subjects") == ["kept", "lost"]
    assert [each.name for each in there.iterdir()] == ["registry.json"]


def test_a_file_that_may_not_grow_is_left_as_it_was(tmp_path: Path) -> None:
    """In a process that may write 4,000 bytes to a file, as much as a full disk leaves."""
    path = tmp_path / "registry.json"
    script = (
        "import resource, sys, pathlib\n"
        "from immersiverse.auth.events.testing.registry import EmbeddedRegistry\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
        "with EmbeddedRegistry(path=pathlib.Path(sys.argv[1])) as registry:\n"
        "    print(registry.url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    serving = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert serving.stdout is not None
        registry = EmbeddedRegistry(port=int(serving.stdout.readline().rpartition(":")[2]))  # its URL only
        call(registry, "POST", "/subjects/kept/versions", record("a"))
        with pytest.raises(urllib.error.HTTPError):
            call(registry, "POST", "/subjects/lost/versions", record(*(f"field{n}" for n in range(200))))
        assert call(registry, "GET", "/subjects") == ["kept"]
        call(registry, "POST", "/subjects/kept too/versions".replace(" ", "%20"), record("b"))
    finally:
        serving.kill()
        serving.communicate()
    with EmbeddedRegistry(path=path) as again:
        assert call(again, "GET", "/subjects") == ["kept", "kept too"]
    assert [each.name for each in tmp_path.iterdir()] == ["registry.json"]


def test_concurrent_registrations_of_one_schema_make_one_version() -> None:
    with EmbeddedRegistry() as registry:
        answers: list[object] = []

        def register() -> None:
            answers.append(call(registry, "POST", "/subjects/s/versions", record("a")))

        threads = [threading.Thread(target=register) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 16
        assert all(answer == answers[0] for answer in answers)
        assert call(registry, "GET", "/subjects/s/versions") == [1]


def state(registry: EmbeddedRegistry) -> list[Any]:
    paths = (
        "/subjects/s/versions",
        "/subjects/s/versions/1?deleted=true",
        "/subjects/s/versions/2",
        "/config/s",
    )
    return [call(registry, "GET", path) for path in paths]


def test_its_state_survives_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "registry.json"
    with EmbeddedRegistry(path=path) as registry:
        call(registry, "POST", "/subjects/s/versions", record("a"))
        call(registry, "POST", "/subjects/s/versions", record("a", "b"))
        call(registry, "DELETE", "/subjects/s/versions/1")
        call(registry, "PUT", "/config/s", {"compatibility": "FULL"})
        before = state(registry)
    with EmbeddedRegistry(path=path) as registry:
        assert state(registry) == before
        assert call(registry, "GET", "/config/s") == {"compatibilityLevel": "FULL"}
        assert call(registry, "POST", "/subjects/u/versions", record("c")) | {"guid": ""} == {
            "id": 3,
            "version": 1,
            "guid": "",
        }
    assert [file.name for file in path.parent.iterdir()] == ["registry.json"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 1}', '{"format": 2, "schemas": 5}', "\x00"])
def test_a_file_that_holds_no_state_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "registry.json"
    path.write_text(content)
    with pytest.raises(RegistryError, match="does not hold a registry"):
        EmbeddedRegistry(path=path)
    assert path.read_text() == content


def test_it_leaves_no_thread_and_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", pytest.fail)  # a socket that is not closed warns here
    before = threading.enumerate()
    for _ in range(20):
        with EmbeddedRegistry() as registry:
            call(registry, "GET", "/subjects")
    assert threading.enumerate() == before
    gc.collect()
