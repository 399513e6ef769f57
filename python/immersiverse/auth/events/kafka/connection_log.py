"""Says once that a broker cannot be reached and why, once that it can be again, and reminds every minute.

librdkafka reports every failed attempt to connect, with several brokers dozens of lines a second. Its own
lines about that go to the log at level DEBUG.

All of this runs in the thread that polls the client, but for the check of a certificate: it connects once
more to learn what librdkafka does not say, and has a thread of its own for it.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.kafka.certificate_check import certificate_problem
from immersiverse.auth.events.kafka.config import with_raw_statistics
from immersiverse.auth.events.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka import KafkaError

_REMIND_EVERY: Final = 60.0  # seconds
_BROKER: Final = re.compile(r"(?:^|\]: )(?:\w+://)?(?P<address>[^\s/]+:\d+)/\w+: (?P<reason>.*)", re.DOTALL)
_STATE: Final = re.compile(r" \((?:after \d+ms )?in state (?P<state>\w+)[^)]*\)$")
_CONNECTION_LINES: Final = ("FAIL", "ERROR")
"""What librdkafka's log calls lines about connections that failed."""

_BAD_CERTIFICATE: Final = "certificate verify failed"
_EXPLANATIONS: Final = (
    ("invalid credentials", "wrong user name or password"),
    ("Unsupported SASL mechanism", "the broker does not offer this sasl.mechanism"),
    ("SASL authentication error", "the broker refuses the login"),
    (_BAD_CERTIFICATE, "the broker's certificate is not trusted, or not for this host name"),
    ("PLAINTEXT broker listener", "there is no TLS on the other side: check security.protocol and the port"),
    ("wrong version number", "there is no TLS on the other side: check security.protocol and the port"),
    ("SSL handshake failed", "no TLS connection"),
    ("in state APIVERSION_QUERY", "the broker may expect TLS or SASL here: check security.protocol"),
    ("Failed to resolve", "the host name is unknown"),
)


@dataclass(slots=True)
class _UnreachableBroker:
    """A broker that cannot be reached: since when, why, and when that was last logged."""

    reason: str
    since: float
    logged: float
    failed: float


class ConnectionLog:
    """Watches the connections of one librdkafka client; give it to the client as its ``logger``."""

    def __init__(self, client: str, settings: Mapping[str, Any], logger: logging.Logger) -> None:
        self._client = client
        self._given = settings
        self._logger = logger
        self._outages: dict[str, _UnreachableBroker] = {}

    @property
    def settings(self) -> dict[str, Any]:
        """The client's settings with the callbacks that this needs; the user's own are still called."""
        users: Callable[[KafkaError], object] | None = self._given.get("error_cb")

        def on_error(error: KafkaError) -> None:
            self._note(error.str())
            if users is not None:
                users(error)

        return {**with_raw_statistics(self._given, self._on_statistics), "error_cb": on_error}

    def log(self, level: int, template: str, facility: str, client: str, line: str) -> None:
        """Take a line of librdkafka's log, as a `logging.Logger` does."""
        if facility in _CONNECTION_LINES and level > logging.DEBUG:  # at DEBUG it ends connections in order
            self._note(line)
            level = logging.DEBUG
        self._logger.log(level, template, facility, client, printable(line))

    @property
    def cause(self) -> str:
        """Why brokers cannot be reached now; empty if all can be, or none was needed."""
        outages = sorted(self._outages.items(), key=lambda item: item[1].failed)
        return f"{outages[-1][0]}: {outages[-1][1].reason}" if outages else ""

    def _note(self, line: str) -> None:
        """A connection failed. One that was established and ended is no outage until it cannot be renewed."""
        if (found := _BROKER.search(line)) is None:
            return
        address, reason = found["address"], found["reason"]
        if (state := _STATE.search(reason)) is not None and state["state"] == "UP":
            return
        now = time.monotonic()
        if (outage := self._outages.get(address)) is not None:
            outage.failed = now
            self._remind(address, outage)
            return
        self._outages[address] = outage = _UnreachableBroker(
            _explained(reason), since=now, logged=now, failed=now
        )
        if _BAD_CERTIFICATE in reason:
            check = threading.Thread(
                target=self._check_certificate,
                args=(address, outage),
                name="auth-events-tls-check",
                daemon=True,
            )
            check.start()
        else:
            self._log_outage(address, outage)

    def _log_outage(self, address: str, outage: _UnreachableBroker) -> None:
        self._logger.error(
            "%s cannot use broker %s, trying again until it can: %s", self._client, address, outage.reason
        )

    def _check_certificate(self, address: str, outage: _UnreachableBroker) -> None:
        if problem := certificate_problem(address, self._given):
            outage.reason = f"{problem} ({_BAD_CERTIFICATE})"
        self._log_outage(address, outage)

    def _remind(self, address: str, outage: _UnreachableBroker) -> None:
        now = time.monotonic()
        if now - outage.logged >= _REMIND_EVERY:
            outage.logged = now
            self._logger.error(
                "%s cannot use broker %s for %.0f s: %s",
                self._client, address, now - outage.since, outage.reason,
            )  # fmt: skip

    def _on_statistics(self, text: str) -> None:
        """Look for brokers that are back; only if there are any to look for, since parsing takes a while."""
        if not self._outages:
            return
        brokers = json.loads(text)["brokers"].values()
        known = {broker["nodename"] for broker in brokers}
        up = {broker["nodename"] for broker in brokers if broker["state"] == "UP"}
        # A broker that is known under another name since the cluster answered is looked for no more.
        for address in [
            address for address in self._outages if address in up or (up and address not in known)
        ]:
            outage = self._outages.pop(address)
            self._logger.warning(
                "%s reaches broker %s again after %.0f s",
                self._client, address, time.monotonic() - outage.since,
            )  # fmt: skip


def _explained(reason: str) -> str:
    """Librdkafka's reason, after what it means where its words do not say so."""
    meaning = next((meaning for words, meaning in _EXPLANATIONS if words in reason), "")
    words = printable(_STATE.sub("", reason))
    return f"{meaning} ({words})" if meaning else words
