"""A registry behind TLS and a password: who is believed works as ever, who is not hears why in one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from commands import Result
from immersiverse.auth.events import (
    AuthEventDeserializer,
    AuthEventSerializer,
    RegistryRefused,
    RegistryUnavailable,
    SchemaRegistry,
)
from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from integration.running import logged_out
from integration.security.conftest import Run
from integration.security.registry_front import PASSWORD, USER, guarded_front
from stack.certificates import Authority

TOPIC = "auth.events.login"
QUICK = {"max.retries": 0}


@dataclass(frozen=True)
class Front:
    """A guarded registry.

    Attributes:
        url: where it is.
        authority: the file with the certificate authority to trust.
    """

    url: str
    authority: Path

    def config(self, **changed: Any) -> dict[str, Any]:
        """Right settings of Confluent's client, with changes."""
        own = {
            "url": self.url,
            "ssl.ca.location": str(self.authority),
            "basic.auth.user.info": f"{USER}:{PASSWORD}",
        }
        return {**own, **{key.replace("_", "."): value for key, value in changed.items()}}

    def options(self, **changed: Any) -> list[str]:
        """The same for commands."""
        settings = {key: value for key, value in self.config(**changed).items() if key != "url"}
        each = (("--registry-config", f"{key}={value}") for key, value in settings.items())
        return ["--registry", self.url, *chain.from_iterable(each)]


EVENT = (
    '{"eventType":"LoggedOut","timestamp":"2025-07-01T09:00:00Z","payload":{"userId":"user-1",'
    '"loggedOutAt":"2025-07-01T09:00:00Z"}}'
)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A guarded registry that knows the contract."""
    folder = tmp_path_factory.mktemp("registry")
    authority = Authority.create(folder)
    with (
        EmbeddedRegistry() as registry,
        SchemaRegistry(registry.url) as registrar,
        guarded_front(registry.url, authority.issue(folder / "keystore.pem")) as url,
    ):
        registrar.register(TOPIC)
        yield Front(url, authority.file)


@pytest.fixture
def another_authority(tmp_path: Path) -> str:
    """The file of a certificate authority that signed nothing here."""
    return str(Authority.create(tmp_path, "another").file)


def test_with_the_right_password_events_are_written_and_read(front: Front) -> None:
    event = logged_out()
    with SchemaRegistry(front.config()) as writer, SchemaRegistry(front.config()) as reader:
        message = AuthEventSerializer(writer).serialize(event)
        assert AuthEventDeserializer(reader).deserialize(message.value) == event


def test_registering_is_for_those_with_the_password(front: Front) -> None:
    with SchemaRegistry(front.config()) as registry:
        assert registry.register("auth.events.user").version == 1
    with (
        SchemaRegistry(front.config(basic_auth_user_info="registrar:wrong")) as stranger,
        pytest.raises(RegistryRefused),
    ):
        stranger.register("auth.events.user")


@pytest.mark.parametrize("credentials", [f"{USER}:wrong-{PASSWORD}", f"stranger:{PASSWORD}"])
def test_with_other_credentials_the_registry_refuses_and_reveals_no_secret(
    front: Front, credentials: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = SchemaRegistry(front.config(basic_auth_user_info=credentials, **QUICK))
    with registry, pytest.raises(RegistryRefused) as refusal:
        AuthEventSerializer(registry).serialize(logged_out())
    assert refusal.value.status == 401
    assert not refusal.value.retryable
    assert PASSWORD not in f"{refusal.value}{refusal.value!r}{registry!r}{caplog.text}"


def test_a_certificate_that_is_not_trusted_is_reported(front: Front, another_authority: str) -> None:
    registry = SchemaRegistry(front.config(ssl_ca_location=another_authority, **QUICK))
    with registry, pytest.raises(RegistryUnavailable, match="CERTIFICATE_VERIFY_FAILED") as failure:
        AuthEventSerializer(registry).serialize(logged_out())
    assert PASSWORD not in str(failure.value)


def test_a_certificate_of_another_host_is_reported(front: Front) -> None:
    registry = SchemaRegistry(front.config(url=front.url.replace("127.0.0.1", "localhost"), **QUICK))
    with registry, pytest.raises(RegistryUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        AuthEventSerializer(registry).serialize(logged_out())


def test_credentials_in_the_address_are_not_revealed_either(front: Front) -> None:
    url = front.url.replace("https://", f"https://{USER}:wrong-{PASSWORD}@")
    registry = SchemaRegistry({"url": url, "ssl.ca.location": str(front.authority), **QUICK})
    with registry, pytest.raises(RegistryRefused) as refusal:
        AuthEventSerializer(registry).serialize(logged_out())
    assert PASSWORD not in str(refusal.value)


def test_credentials_in_the_address_of_a_registry_that_is_away_are_not_revealed() -> None:
    registry = SchemaRegistry({"url": f"https://{USER}:{PASSWORD}@127.0.0.1:1", **QUICK})
    with registry, pytest.raises(RegistryUnavailable) as failure:
        AuthEventSerializer(registry).serialize(logged_out())
    assert PASSWORD not in str(failure.value)


def test_commands_take_the_credentials_and_tell_in_one_line_what_is_wrong_with_them(
    front: Front, another_authority: str, terminal: Run
) -> None:
    def encode(**changed: Any) -> Result:
        return terminal("encode", *front.options(**changed, **QUICK), stdin=EVENT)

    assert encode().code == 0
    refused = encode(basic_auth_user_info=f"{USER}:wrong-{PASSWORD}")
    assert refused == Result(1, "", "auth-events: Unauthorized (HTTP 401, code 401)\n")
    untrusted = encode(ssl_ca_location=another_authority)
    assert (untrusted.code, untrusted.out) == (3, "")
    assert "CERTIFICATE_VERIFY_FAILED" in untrusted.err
    assert untrusted.err.count("\n") == 1
    assert PASSWORD not in untrusted.err


def test_commands_take_the_credentials_from_the_address(
    front: Front, terminal: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_EVENTS_REGISTRY", front.url.replace("https://", f"https://{USER}:{PASSWORD}@"))
    authority = ("--registry-config", f"ssl.ca.location={front.authority}")
    assert terminal("encode", *authority, stdin=EVENT).code == 0
    refused = terminal("encode", "--topic", "nowhere", *authority, stdin=EVENT)
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert PASSWORD not in refused.err
