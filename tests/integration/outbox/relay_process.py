"""A relay as a process of its own, to be frozen and killed."""

from __future__ import annotations

import signal
import sys

from immersiverse.auth.events import OutboxRelay


def main(database: str, bootstrap: str) -> None:
    """Relay until SIGTERM."""
    relay = OutboxRelay(database, {"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 1000})
    signal.signal(signal.SIGTERM, lambda *_: relay.stop())
    relay.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
