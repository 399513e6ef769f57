"""A process with a subscriber that asks a registry, for tests that send it signals."""

from __future__ import annotations

import sys
from typing import Any

from immersiverse.auth.events import AuthEventDeserializer, Policy, SchemaRegistry, Subscriber
from integration.kafka.signalled import MISSED_SOON, say


def main() -> None:
    """Handle the events of a topic."""
    bootstrap, topic, group, url = sys.argv[1:]
    subscriber = Subscriber(
        {"bootstrap.servers": bootstrap, "group.id": group, **MISSED_SOON},
        [topic],
        deserializer=AuthEventDeserializer(SchemaRegistry({"url": url, "timeout": 600}, patience=600)),
        policy=Policy(commit_interval=0.1, drain=1.0),
    )

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        say(f"done {payload.session_id}")

    subscriber.run()
    say("end")


if __name__ == "__main__":
    main()
