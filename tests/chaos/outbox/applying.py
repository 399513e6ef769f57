"""The subscriber's process: ``python -m chaos.outbox.applying BOOTSTRAP FOLDER``.

It acts in a SQL inbox's transaction. Now and then its handler fails at the first attempt, after it has acted.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from google.protobuf.message import Message

from chaos.effects import apply, open_database
from chaos.journal import Journal
from chaos.story import TOPICS
from immersiverse.auth.events import AuthEvent, AuthEventDeserializer, PinnedSchemas, SqlInbox
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.records import Context
from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
from immersiverse.auth.events.observability.hooks import Detail, Dropped

GROUP = "applying"


def main(bootstrap: str, folder: Path) -> None:
    """Consume until SIGTERM."""
    drops = Journal(folder / "drops")

    def note(detail: Detail) -> None:
        if isinstance(detail, Dropped):
            drops.write(detail.reason)

    subscriber = Subscriber(
        {
            "bootstrap.servers": bootstrap,
            "group.id": GROUP,
            "reconnect.backoff.max.ms": 1000,
            "session.timeout.ms": 6000,  # a killed one is missed soon
            "heartbeat.interval.ms": 1000,
        },
        TOPICS[:1],
        deserializer=AuthEventDeserializer(PinnedSchemas(1)),
        policy=Policy(retry=Retry(first=0.05), commit_interval=0.5, drain=5),
        inbox=SqlInbox(open_database(folder / "effects.db"), GROUP),
        hooks=(note,),
    )

    @subscriber.on_any
    def act(happened: AuthEvent, _payload: Message, context: Context) -> None:
        apply(context.transaction, happened, context)
        if context.attempt == 1 and random.random() < 0.005:
            raise RuntimeError("as handlers do now and then")

    subscriber.run()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
