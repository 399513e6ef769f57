"""Ask the brokers that keep consumer groups, and outlive it when one of them goes away meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, KafkaException

from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.operations import coordinator_process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka.admin import AdminClient

    from immersiverse.auth.events.operations.cluster import Cluster

# Its path begins with what is installed, whatever lies in the folder that somebody happens to be in.
_COMMAND: Final = (sys.executable, "-P", "-m", coordinator_process.__name__)
_GRACE = 5.0  # seconds that a process may take besides waiting for Kafka


def ask_coordinators(cluster: Cluster, purpose: str, order: Mapping[str, Any]) -> Any:
    """What coordinators answer to an order; see `coordinator_process.carry_out`.

    One that goes away is asked again under its next name, for as long as the cluster's timeout says.

    Args:
        cluster: where.
        purpose: what for, as the end of "cannot ...".
        order: what to ask; twice has the same effect as once.

    Raises:
        BrokerUnavailable: if nobody answers.
        OperationRefused: if the answer is no.
    """
    full = {**order, "timeout": cluster.timeout, "settings": cluster.settings}

    def ask(admin: AdminClient) -> Any:
        try:
            text = json.dumps(full)
        except TypeError:  # a setting that is a function cannot leave this process
            return _unless_refused(coordinator_process.carry_out(admin, full))
        return _unless_refused(_ask_aside(purpose, text, cluster.timeout + _GRACE))

    return cluster.ask(purpose, ask)


def _ask_aside(purpose: str, order: str, seconds: float) -> Any:
    try:
        done = subprocess.run(  # noqa: S603 - this very Python, and a module of this package
            _COMMAND,
            input=order,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            process_group=0,  # an interrupt is for the command, which ends this process then
        )
    except subprocess.TimeoutExpired as error:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from error  # noqa: SLF001 - librdkafka's name
    if done.returncode < 0:
        raise KafkaException(KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE))
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise OperationRefused("_FAIL", f"cannot {purpose}: the process that asks has failed: {last}")
    return json.loads(done.stdout)


def _unless_refused(answer: Any) -> Any:
    if isinstance(answer, dict) and "refused" in answer:
        raise KafkaException(KafkaError(*answer["refused"]))
    return answer
