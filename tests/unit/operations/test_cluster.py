"""How operations ask a cluster, without one."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import KafkaError, KafkaException

from immersiverse.auth.events.errors import BrokerUnavailable, ConfigurationError, OperationRefused
from immersiverse.auth.events.operations.cluster import Cluster

NOWHERE = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}


class Coordinator:
    """Answers after some refusals, and counts how often it is asked."""

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
def test_who_is_no_longer_to_be_asked_is_asked_again_under_the_new_name(moving):
    coordinator = Coordinator(moving)
    assert Cluster(NOWHERE, timeout=0.1).ask("ask", coordinator) == "answer"
    assert coordinator.asked == 2


def test_asking_again_has_an_end():
    coordinator = Coordinator(*[KafkaError.NOT_COORDINATOR] * 50)
    begun = time.monotonic()
    with pytest.raises(BrokerUnavailable, match=r"cannot count sheep.*NOT_COORDINATOR"):
        Cluster(NOWHERE, timeout=0.1).ask("count sheep", coordinator)
    assert 1 < coordinator.asked < 50
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("refusal", "raised"),
    [
        (KafkaError.GROUP_AUTHORIZATION_FAILED, OperationRefused),
        (KafkaError.REQUEST_TIMED_OUT, BrokerUnavailable),
    ],
)
def test_a_refusal_and_a_silence_are_not_asked_again(refusal, raised):
    coordinator = Coordinator(refusal)
    with pytest.raises(raised):
        Cluster(NOWHERE, timeout=0.1).ask("ask", coordinator)
    assert coordinator.asked == 1


def test_a_setting_that_librdkafka_does_not_know_is_named():
    with pytest.raises(ConfigurationError, match=r"bootstrap\.server"):
        Cluster({**NOWHERE, "bootstrap.server": "x"})
