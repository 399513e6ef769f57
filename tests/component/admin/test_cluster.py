"""Admin requests and their retries, without a cluster."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import KafkaError, KafkaException

from immersiverse.auth.events.admin.cluster import Cluster
from immersiverse.auth.events.errors import BrokerUnavailable, ConfigurationError, OperationRefused

NOWHERE = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}


class Coordinator:
    """Answers after some errors, and counts requests."""

    def __init__(self, *refusals: int) -> None:
        self.asked = 0
        self._refusals = list(refusals)

    def __call__(self, _admin: object) -> str:
        self.asked += 1
        if self._refusals:
            raise KafkaException(KafkaError(self._refusals.pop(0)))
        return "answer"


@pytest.mark.parametrize(
    "moving",
    [
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.FENCED_LEADER_EPOCH,
    ],
)
def test_a_request_is_retried_while_a_coordinator_or_leader_moves(moving):
    coordinator = Coordinator(moving)
    assert Cluster(NOWHERE, timeout=0.1).ask("ask", coordinator) == "answer"
    assert coordinator.asked == 2


def test_retries_end():
    coordinator = Coordinator(*[KafkaError.NOT_COORDINATOR] * 50)
    begun = time.monotonic()
    with pytest.raises(BrokerUnavailable, match=r"cannot count sheep.*NOT_COORDINATOR"):
        Cluster(NOWHERE, timeout=0.1).ask("count sheep", coordinator)
    assert 1 < coordinator.asked < 50
    assert time.monotonic() - begun < 10


def test_the_time_of_the_first_attempt_does_not_count():
    coordinator = Coordinator(KafkaError.NOT_COORDINATOR)

    def request(admin):
        if not coordinator.asked:
            time.sleep(0.3)  # as the start of a process may take
        return coordinator(admin)

    assert Cluster(NOWHERE, timeout=0.1).ask("ask", request) == "answer"
    assert coordinator.asked == 2


@pytest.mark.parametrize(
    ("refusal", "raised"),
    [
        (KafkaError.GROUP_AUTHORIZATION_FAILED, OperationRefused),
        (KafkaError.REQUEST_TIMED_OUT, BrokerUnavailable),
    ],
)
def test_a_refusal_and_a_timeout_are_not_retried(refusal, raised):
    coordinator = Coordinator(refusal)
    with pytest.raises(raised):
        Cluster(NOWHERE, timeout=0.1).ask("ask", coordinator)
    assert coordinator.asked == 1


def test_an_unknown_librdkafka_setting_is_named():
    with pytest.raises(ConfigurationError, match=r"bootstrap\.server"):
        Cluster({**NOWHERE, "bootstrap.server": "x"})
