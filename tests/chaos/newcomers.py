"""New publishers on new topics: ``python -m chaos.newcomers BOOTSTRAP FOLDER``.

One after the other, each publishes for an instant, is closed, and never repeats what was acknowledged. Then
its topic is read, for as long as leaders may be away, and removed. What is missing is a lost event.
"""

from __future__ import annotations

import signal
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from chaos.journal import Journal
from integration.kafka.acknowledged import live, missing

_PARTITIONS = 60
_EVENTS = 300
_PATIENCE = 90.0  # seconds for the leaders of a topic to be back


def main(bootstrap: str, folder: Path) -> None:
    """Publish until SIGTERM; write down how much was acknowledged, and what of it is missing."""
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    journal = Journal(folder / "newcomers")
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 5000})
    while not asked_to_stop:
        with _topic(admin) as topic:
            acknowledged = live(
                bootstrap, topic, events=_EVENTS, born=lambda topic=topic: _create(admin, topic)
            ).acknowledged
            lost = missing(bootstrap, topic, acknowledged, within=_PATIENCE)
        journal.write("A", len(acknowledged))
        for event_id in lost:
            journal.write("L", event_id)


@contextmanager
def _topic(admin: AdminClient) -> Iterator[str]:
    """The name of a topic that does not exist yet, and is removed in the end."""
    name = f"newcomer-{uuid.uuid4()}"
    yield name
    with suppress(KafkaException, TimeoutError):  # a few left over do no harm
        admin.delete_topics([name])[name].result(timeout=10)


def _create(admin: AdminClient, topic: str) -> None:
    """Make a topic; until that succeeds, or an earlier try turns out to have succeeded."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            admin.create_topics([NewTopic(topic, num_partitions=_PARTITIONS)])[topic].result(timeout=10)
        except (KafkaException, TimeoutError) as error:
            if "already exists" in str(error):
                return
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
