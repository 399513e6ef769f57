"""The publisher's process: ``python -m chaos.publishing BOOTSTRAP REGISTRY JOURNAL EVENTS_PER_SECOND``.

It writes down each event before it publishes it, and each acknowledgement, and goes on where its last life
ended.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from pathlib import Path

from chaos.account import about_to_publish, read_account
from chaos.journal import Journal
from chaos.story import USERS, Chapter
from immersiverse.auth.events import AuthEventSerializer, SchemaRegistry
from immersiverse.auth.events.identifiers import new_event_id
from immersiverse.auth.events.kafka.producer.delivery import Delivery
from immersiverse.auth.events.kafka.producer.publisher import Publisher

_TICK = 0.02  # seconds
_REGISTRY_PATIENCE = 300.0  # seconds that an event waits for a registry that is away


def main(bootstrap: str, registry: str, path: Path, pace: int) -> None:
    """Publish until SIGTERM, then wait for every acknowledgement."""
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    account = read_account(path)
    journal = Journal(path)

    def note(delivery: Delivery) -> None:
        if delivery.error is None:
            journal.write("A", delivery.event.event_id)
        else:
            journal.write("F", delivery.event.event_id, delivery.error.code)

    config = {"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 1000}
    serializer = AuthEventSerializer(SchemaRegistry(registry))
    with Publisher(config, serializer=serializer, registry_timeout=_REGISTRY_PATIENCE) as publisher:
        for chapter in account.to_repeat():
            publisher.send(chapter.event(), on_done=note)
        versions = account.versions()
        while not asked_to_stop:
            for _ in range(max(1, int(pace * _TICK))):
                chapter = _next(versions)
                about_to_publish(journal, chapter)
                publisher.send(chapter.event(), on_done=note)
            time.sleep(_TICK)


def _next(versions: dict[str, int]) -> Chapter:
    user = random.choice(USERS)
    versions[user] = versions.get(user, 0) + 1
    return Chapter(user, versions[user], new_event_id(), time.time_ns() // 1000)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
