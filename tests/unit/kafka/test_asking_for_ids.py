"""An event loop that publishes goes on while the registry is asked for a schema id."""

from __future__ import annotations

import asyncio
import threading

from dispatching import until
from immersiverse.auth.events import AsyncPublisher, AuthEventSerializer, LoggedOut, SchemaRegistry, new_event
from immersiverse.auth.events.testing.stack import EmbeddedStack
from scripted_registry import Answering, scripted
from serialization_samples import TIME


def event(user, number):
    payload = LoggedOut(user_id=user, session_id=str(number), logged_out_at=TIME)
    return new_event(payload, source="/services/auth", version=number + 1)


def test_the_loop_goes_on_and_events_stay_in_order():
    asked, answered = threading.Event(), threading.Event()

    def late(path: str, answering: Answering) -> None:
        asked.set()
        answered.wait(20)
        subject = path.split("/")[2]
        answering.rfile.read(int(answering.headers.get("Content-Length") or 0))
        answering.say({"subject": subject, "id": 1, "version": 1, "schema": "x", "schemaType": "PROTOBUF"})

    async def run(bootstrap: str, client: SchemaRegistry) -> list[str]:
        ended: list[str] = []
        async with AsyncPublisher(
            {"bootstrap.servers": bootstrap}, serializer=AuthEventSerializer(client)
        ) as publisher:
            publishing = [
                asyncio.create_task(
                    publisher.publish(
                        event("u", number), on_done=lambda one: ended.append(one.event.logged_out.session_id)
                    )
                )
                for number in range(20)
            ]
            await until(asked.is_set)  # which would not return if the loop stood still
            assert not any(task.done() for task in publishing)
            answered.set()
            await asyncio.gather(*publishing)
            await publisher.flush(20)
        return ended

    with (
        EmbeddedStack() as stack,
        scripted(late) as server,
        SchemaRegistry({"url": server.url, "max.retries": 0, "timeout": 30}) as client,
    ):
        ended = asyncio.run(asyncio.wait_for(run(stack.bootstrap, client), 60))
    assert ended == [str(number) for number in range(20)]
