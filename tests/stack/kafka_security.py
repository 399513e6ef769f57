"""A Kafka that asks who its clients are, and lets each do only what it was given the right to.

Clients come over TLS with a user's name and password, by SCRAM-SHA-256, or by PLAIN for users that are
named in the brokers' configuration. Without an ACL that allows it nothing is allowed, save to the super user.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from stack.certificates import Authority

SUPER_USER: Final = "admin"
SCRAM: Final = "SCRAM-SHA-256"
PLAIN: Final = "PLAIN"
_JAAS = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Security:
    """Who is believed, and how.

    Attributes:
        authority: signed the brokers' certificates.
        keystore: the brokers' key and certificates.
        plain_users: passwords by user name, for PLAIN, which Kafka knows from its configuration only.
        password: the super user's, for SCRAM.
    """

    authority: Authority
    keystore: Path
    plain_users: Mapping[str, str]
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @classmethod
    def create(cls, folder: Path, plain_users: Mapping[str, str] | None = None) -> Self:
        """Certificates and passwords that were never used before, in a folder."""
        authority = Authority.create(folder)
        return cls(authority, authority.issue(folder / "kafka-keystore.pem"), plain_users or {})

    def client_settings(self, user: str, password: str, mechanism: str = SCRAM) -> dict[str, str]:
        """librdkafka's settings for a client that comes as a user."""
        return {
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(self.authority.file),
            "sasl.mechanism": mechanism,
            "sasl.username": user,
            "sasl.password": password,
        }

    def super_user_settings(self) -> dict[str, str]:
        """librdkafka's settings for a client that may do everything."""
        return self.client_settings(SUPER_USER, self.password)

    def format_options(self) -> tuple[str, ...]:
        """What Kafka's storage is formatted with, so that the super user is known from the beginning."""
        return ("-S", f"{SCRAM}=[name={SUPER_USER},password={self.password}]")

    def broker_settings(self) -> dict[str, str]:
        """What a broker's configuration needs beside listeners that map CLIENT to SASL_SSL."""
        users = "".join(f' user_{name}="{password}"' for name, password in self.plain_users.items())
        client = "listener.name.client"
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.keystore),
            "sasl.enabled.mechanisms": f"{SCRAM},{PLAIN}",
            f"{client}.scram-sha-256.sasl.jaas.config": f"{_JAAS}.scram.ScramLoginModule required;",
            f"{client}.plain.sasl.jaas.config": f"{_JAAS}.plain.PlainLoginModule required{users};",
            "connection.failed.authentication.delay.ms": "100",  # tests are no guessers
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # Brokers and controllers come as ANONYMOUS to listeners that clients do not know.
            "super.users": f"User:{SUPER_USER};User:ANONYMOUS",
            "allow.everyone.if.no.acl.found": "false",
        }
