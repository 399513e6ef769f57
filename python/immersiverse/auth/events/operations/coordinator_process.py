"""Asks the brokers that keep consumer groups, as a process of its own that they may take down with them.

Through its admin client librdkafka ends the whole process by an assertion when a group's coordinator goes
away while it is being asked (seen up to 2.16; confluentinc/librdkafka#4605 and #5397). So nobody else should
be in that process. It reads an order in JSON from standard input and writes the answer to standard output.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka.admin import ConsumerGroupDescription


def main() -> None:
    """Carry out one order."""
    order = json.load(sys.stdin)
    json.dump(carry_out(AdminClient(order["settings"]), order), sys.stdout)


def carry_out(admin: AdminClient, order: Mapping[str, Any]) -> Any:
    """What the coordinators answer: data, or ``{"refused": [code, reason]}`` in Kafka's numbers.

    Args:
        admin: asks.
        order: ``describe``, names of groups; or ``alter``, a group, and ``offsets``, each of them
            ``[topic, number, offset]``. And a ``timeout`` in seconds.
    """
    try:
        if "describe" in order:
            return _described(admin, order["describe"], order["timeout"])
        return _altered(admin, order["alter"], order["offsets"], order["timeout"])
    except KafkaException as error:
        return {"refused": _told(error.args[0])}


def _described(admin: AdminClient, names: list[str], timeout: float) -> list[Any]:
    futures = admin.describe_consumer_groups(names, request_timeout=timeout)
    return [_group(futures[name].result()) for name in names]


def _group(found: ConsumerGroupDescription) -> dict[str, Any]:
    return {
        "state": found.state.name.lower(),
        "members": [f"{member.client_id} at {member.host.removeprefix('/')}" for member in found.members],
        "assigned": [
            [partition.topic, partition.partition]
            for member in found.members
            for partition in member.assignment.topic_partitions
        ],
    }


def _altered(admin: AdminClient, name: str, offsets: list[list[Any]], timeout: float) -> None:
    wanted = ConsumerGroupTopicPartitions(name, [TopicPartition(*offset) for offset in offsets])
    done = admin.alter_consumer_group_offsets([wanted], request_timeout=timeout)[name].result()
    for partition in done.topic_partitions:
        if partition.error is not None:
            raise KafkaException(partition.error)


def _told(error: Any) -> list[Any]:
    return [error.code(), error.str()]


if __name__ == "__main__":
    main()
