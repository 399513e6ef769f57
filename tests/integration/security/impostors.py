"""Ways not to be believed: what a client has wrong, and which words its log has for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration.security.guarded import User
from stack.certificates import Authority


@dataclass(frozen=True)
class Impostor:
    """A client with something wrong.

    Attributes:
        name: what is wrong.
        spoil: makes right settings wrong, with a folder for files.
        says: what its log says of it; empty if all it sees is that connections end.
        means: what a publisher's errors and log say that this means.
    """

    name: str
    spoil: Callable[[dict[str, Any], Path], dict[str, Any]]
    says: str
    means: str


def _distrustful(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {**config, "ssl.ca.location": str(Authority.create(folder, "another").file)}


def _misdirected(config: dict[str, Any], _: Path) -> dict[str, Any]:
    return {**config, "bootstrap.servers": config["bootstrap.servers"].replace("127.0.0.1", "localhost")}


def _in_the_clear(config: dict[str, Any], _: Path) -> dict[str, Any]:
    return {"bootstrap.servers": config["bootstrap.servers"]}


def _with_another_password(config: dict[str, Any], _: Path) -> dict[str, Any]:
    return {**config, "sasl.password": "not-the-password"}


def _by_another_mechanism(config: dict[str, Any], _: Path) -> dict[str, Any]:
    return {**config, "sasl.mechanism": "SCRAM-SHA-512"}


STRANGERS_TO_TLS = (
    Impostor(
        "a certificate authority that signed nothing here",
        _distrustful,
        "certificate verify failed",
        "the broker's certificate is not trusted, check ssl.ca.location",
    ),
    Impostor(
        "a host name that the certificate does not have",
        _misdirected,
        "certificate verify failed",
        "the broker's certificate is not for the host name localhost",
    ),
    Impostor("no TLS", _in_the_clear, "", "the broker may expect TLS or SASL here"),
)
STRANGERS_BY_NAME = (
    Impostor(
        "another password", _with_another_password, "invalid credentials", "wrong user name or password"
    ),
    Impostor(
        "a mechanism that is not offered",
        _by_another_mechanism,
        "supported mechanisms: PLAIN,SCRAM-SHA-256",
        "the broker does not offer this sasl.mechanism",
    ),
)


def each_of(*impostors: Impostor) -> pytest.MarkDecorator:
    """Runs a test with each of them."""
    return pytest.mark.parametrize("impostor", impostors, ids=[impostor.name for impostor in impostors])


def config_of(impostor: Impostor, user: User, folder: Path) -> dict[str, Any]:
    """The settings of a user's client that has this wrong."""
    return impostor.spoil(user.config, folder)
