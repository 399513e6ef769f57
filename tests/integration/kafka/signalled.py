"""A process with a subscriber, for tests that send it signals: prints what it handles."""

from __future__ import annotations

import sys
import time
from typing import Any

from immersiverse.auth.events import AuthEventDeserializer, PinnedSchemas, Policy, Subscriber

MISSED_SOON = {"session.timeout.ms": 2_500, "heartbeat.interval.ms": 500}


def say(line: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Handle the events of a topic, each in as many seconds as asked for."""
    bootstrap, topic, group, kind, seconds = sys.argv[1:]
    subscriber = Subscriber(
        {"bootstrap.servers": bootstrap, "group.id": group, **MISSED_SOON},
        [topic],
        deserializer=AuthEventDeserializer(PinnedSchemas(1)),
        policy=Policy(concurrency=2 if kind == "threads" else 1, drain=1.0),
    )

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        say(f"begun {payload.session_id}")
        time.sleep(float(seconds))
        say(f"done {payload.session_id}")

    subscriber.run()
    say("end")


if __name__ == "__main__":
    main()
