"""A script that starts to handle an event, leaves its effect, and waits to be killed."""

from __future__ import annotations

import sys
import time

import redis
from sqlalchemy import create_engine, text

from immersiverse.auth.events import RedisInbox, SqlInbox
from immersiverse.auth.events.v1.events_pb2 import AuthEvent


def main(url: str, event: AuthEvent) -> None:
    """Handle an event without end."""
    if url.startswith("redis"):
        client = redis.Redis.from_url(url)
        with RedisInbox(client, "killed").admit(event, "topic", b"key"):
            client.incr("effects")
            wait()
    with SqlInbox(create_engine(url), "killed").admit(event, "topic", b"key") as admission:
        admission.transaction.execute(text("INSERT INTO effects (id) VALUES ('one')"))
        wait()


def wait() -> None:
    """Report the effect, and wait."""
    sys.stdout.write("handling\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    main(sys.argv[1], AuthEvent.FromString(bytes.fromhex(sys.argv[2])))
