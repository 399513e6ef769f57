"""Requests to group coordinators, sent from a process of their own.

librdkafka's admin client aborts its process by a failed assertion when a group's coordinator goes away
during the request (seen up to 2.16; confluentinc/librdkafka#4605 and #5397). So the request runs in a
subprocess that may die; then it is retried. The subprocess reads one JSON order from standard input and
writes the answer to standard output.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from immersiverse.auth.events.errors import OperationRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka.admin import ConsumerGroupDescription

    from immersiverse.auth.events.admin.cluster import Cluster

# -P: import the installed package, not what happens to be in the working directory.
_COMMAND: Final = (sys.executable, "-P", "-m", "immersiverse.auth.events.admin._group_admin_subprocess")
_START_SECONDS = 15.0  # what Python may take to start and stop, on top of the cluster's timeout


def ask_coordinators(cluster: Cluster, purpose: str, order: Mapping[str, Any]) -> Any:
    """Send an order to group coordinators; see `carry_out`. Retried while a coordinator moves.

    The order must be safe to repeat; the purpose completes "cannot ..." in errors.
    """
    full = {**order, "timeout": cluster.timeout, "settings": cluster.settings}

    def request(admin: AdminClient) -> Any:
        try:
            text = json.dumps(full)
        except TypeError:  # a setting is a function, which cannot be passed to a process
            return _result(carry_out(admin, full))
        return _result(_in_subprocess(purpose, text, cluster.timeout + _START_SECONDS))

    return cluster.ask(purpose, request)


def carry_out(admin: AdminClient, order: Mapping[str, Any]) -> Any:
    """Run an order: the data, or ``{"refused": [code, reason]}`` with Kafka's error code.

    An order is ``describe`` with names of groups, or ``alter`` with a group and ``offsets``, each of them
    ``[topic, number, offset]``; and a ``timeout`` in seconds.
    """
    try:
        if "describe" in order:
            return _described(admin, order["describe"], order["timeout"])
        return _altered(admin, order["alter"], order["offsets"], order["timeout"])
    except KafkaException as error:
        return {"refused": [error.args[0].code(), error.args[0].str()]}


def _in_subprocess(purpose: str, order: str, seconds: float) -> Any:
    try:
        done = subprocess.run(  # noqa: S603 - this Python, with a module of this package
            _COMMAND,
            input=order,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            process_group=0,  # Ctrl-C goes to the command only, which then ends this process
        )
    except subprocess.TimeoutExpired as error:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from error  # noqa: SLF001 - librdkafka's name
    if done.returncode < 0:  # killed by a signal: the assertion
        raise KafkaException(KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE))
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no error output"])[-1]
        raise OperationRefused("_FAIL", f"cannot {purpose}: the admin subprocess failed: {last}")
    return json.loads(done.stdout)


def _result(answer: Any) -> Any:
    if isinstance(answer, dict) and "refused" in answer:
        raise KafkaException(KafkaError(*answer["refused"]))
    return answer


def _described(admin: AdminClient, names: list[str], timeout: float) -> list[Any]:
    futures = admin.describe_consumer_groups(names, request_timeout=timeout)
    return [_group_facts(futures[name].result()) for name in names]


def _group_facts(found: ConsumerGroupDescription) -> dict[str, Any]:
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


if __name__ == "__main__":
    _order = json.load(sys.stdin)
    json.dump(carry_out(AdminClient(_order["settings"]), _order), sys.stdout)
