"""Run by a released wheel's Python: a service of that time, on a real broker and registry.

Standard input is what it is to do, as JSON; standard output a line for each event. It knows nothing of this
tree.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from confluent_kafka import Producer
from google.protobuf import json_format

from immersiverse.auth.events import (
    AuthEvent,
    AuthEventDeserializer,
    AuthEventSerializer,
    DeadLetters,
    SchemaRegistry,
    Subscriber,
)

# Each test's topic has a subject of its own, in Avro too.
STRATEGIES: Any = {"AVRO": "topic-record"}


def say(**line: Any) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def publish(task: dict[str, Any], registry: SchemaRegistry) -> None:
    """Register the contract of this release, and publish events given by their meanings."""
    if task["format"] != "json":
        registry.register(task["topic"], "AVRO" if task["format"] == "avro" else "PROTOBUF")
    serializer = AuthEventSerializer(registry, format=task["format"])
    producer = Producer({"bootstrap.servers": task["bootstrap"]})
    for meaning in task["events"]:
        event = json_format.ParseDict(meaning, AuthEvent())
        message = serializer.serialize(event, topic=task["topic"])
        producer.produce(message.topic, message.value, message.key, headers=list(message.headers))
        say(published=event.event_id)
    if producer.flush(30):
        raise SystemExit("events were not delivered")


def consume(task: dict[str, Any], registry: SchemaRegistry) -> None:
    """Handle as many events as are wanted, and send each that is known on to another topic."""
    config = {"bootstrap.servers": task["bootstrap"], "group.id": task["group"]}
    options: Any = {
        "unknown": "dead-letter" if task["unknown"] == "dead-letter" else "skip"
    }  # as it was then
    subscriber = Subscriber(
        config,
        [task["topic"]],
        deserializer=AuthEventDeserializer(registry),
        **options,
        dead_letters=DeadLetters(config, topic=task["dead_letters"]),
    )
    serializer = AuthEventSerializer(registry)
    producer = Producer({"bootstrap.servers": task["bootstrap"]})
    left = task["count"]

    def done() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            producer.flush(30)
            subscriber.stop()

    @subscriber.on_any
    def known(event: AuthEvent, _payload: Any) -> None:
        message = serializer.serialize(event, topic=task["topic"])
        producer.produce(task["forward"], message.value, message.key, headers=list(message.headers))
        say(event=json_format.MessageToDict(event), id=event.event_id)
        done()

    if task["unknown"] == "hand over":

        @subscriber.on_unknown
        def unknown(event: Any) -> None:
            payload = base64.b64encode(event.payload).decode()
            say(unknown=event.event_type, id=event.envelope.event_id, payload=payload, read=event.read())
            done()

    subscriber.run()


def main() -> None:
    task = json.load(sys.stdin)
    with SchemaRegistry(task["registry"], strategies=STRATEGIES) as registry:
        {"publish": publish, "consume": consume}[task["do"]](task, registry)


if __name__ == "__main__":
    main()
