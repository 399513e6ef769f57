"""A subscriber's process: ``python -m chaos.subscribing GROUP PROTOCOL BOOTSTRAP REGISTRY FOLDER``.

Its group is ``with-inbox`` or ``without-inbox``.

With an inbox it acts in a SQL inbox's transaction; without, it writes a line for every event it handles. In
both, now and then a handler fails at its first attempt: after it has acted, if that can be undone. Each life
of a process commits in one of the two ways that there are.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
from pathlib import Path

from google.protobuf.message import Message

from chaos.effects import apply, open_database, write_down
from chaos.journal import Journal
from chaos.story import TOPICS
from immersiverse.auth.events import AuthEvent, AuthEventDeserializer, SchemaRegistry, SqlInbox
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.records import Context
from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
from immersiverse.auth.events.observability.hooks import Detail, Dropped

WITH_INBOX, WITHOUT_INBOX = "with-inbox", "without-inbox"
_RETRY = Retry(first=0.05)
_IN_PROGRESS = 16
_ONE_IN = 200
# The least that brokers allow; in the newer protocol they decide, and miss a killed member after 45 s.
_MISSED_SOON = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 1000}


def main(mode: str, protocol: str, bootstrap: str, registry: str, folder: Path) -> None:
    """Consume until SIGTERM."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    config = {
        "bootstrap.servers": bootstrap,
        "group.id": mode,
        "reconnect.backoff.max.ms": 1000,
        "enable.auto.commit": random.random() < 0.5,
        "auto.commit.interval.ms": 500,
        "group.protocol": protocol,
        **(_MISSED_SOON if protocol == "classic" else {}),
    }
    subscriber = (_with_inbox if mode == WITH_INBOX else _without_inbox)(
        config, SchemaRegistry(registry), folder
    )
    subscriber.run()


def _with_inbox(config: dict[str, object], schemas: SchemaRegistry, folder: Path) -> Subscriber:
    drops = Journal(folder / "drops")

    def note(detail: Detail) -> None:
        if isinstance(detail, Dropped):
            drops.write(detail.reason)

    subscriber = Subscriber(
        config,
        TOPICS,
        deserializer=AuthEventDeserializer(schemas),
        policy=Policy(retry=_RETRY, commit_interval=0.5, drain=5),
        inbox=SqlInbox(open_database(folder / "effects.db"), WITH_INBOX),
        hooks=(note,),
    )

    @subscriber.on_any
    def act(happened: AuthEvent, _payload: Message, context: Context) -> None:
        apply(context.transaction, happened, context)
        _fail_now_and_then(happened, context)

    return subscriber


def _without_inbox(config: dict[str, object], schemas: SchemaRegistry, folder: Path) -> Subscriber:
    journal = Journal(folder / "handled")
    subscriber = Subscriber(
        config,
        TOPICS,
        deserializer=AuthEventDeserializer(schemas),
        policy=Policy(concurrency=_IN_PROGRESS, retry=_RETRY, commit_interval=0.5, drain=5),
    )

    @subscriber.on_any
    async def act(happened: AuthEvent, _payload: Message, context: Context) -> None:
        await asyncio.sleep(random.random() * 0.005)
        _fail_now_and_then(happened, context)
        write_down(journal, happened, context)

    return subscriber


def _fail_now_and_then(happened: AuthEvent, context: Context) -> None:
    if context.attempt == 1 and hash(happened.event_id) % _ONE_IN == 0:
        raise RuntimeError("as handlers do now and then")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], Path(sys.argv[5]))
